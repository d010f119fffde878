// Prints the section of CHANGELOG.md for a version, as the text of its release notes.
// usage: node scripts/release/changelog.ts VERSION      (in the checkout)
import { readFileSync } from "node:fs";

/** One entry of a section, in Artifact Hub's format. */
export interface Change {
  readonly kind: string;
  readonly description: string;
}

/**
 * The section under `## VERSION - DATE`, without its heading.
 *
 * @param text the text of CHANGELOG.md
 * @throws {Error} if the section is missing or empty
 */
export function sectionOf(text: string, version: string): string {
  const section = text.split(/^## /m).find((part) => {
    const [, heading, date] = /^\[?([^\s\]]+)\]? - (\d{4}-\d{2}-\d{2})$/m.exec(part.split("\n", 1)[0] ?? "") ?? [];
    return heading === version && date !== undefined;
  });
  if (section === undefined)
    throw new Error(`CHANGELOG.md has no heading "## ${version} - YYYY-MM-DD"; rename "## Unreleased"`);
  const body = section.slice(section.indexOf("\n")).trim();
  if (body === "") throw new Error(`the section for ${version} in CHANGELOG.md is empty`);
  return `${body}\n`;
}

const kinds = ["added", "changed", "deprecated", "removed", "fixed", "security"];

/** Artifact Hub's kind of change for a heading. Artifact Hub rejects any other kind. */
function kindOf(heading: string): string {
  const kind = heading === "Breaking" ? "changed" : heading.toLowerCase();
  if (!kinds.includes(kind))
    throw new Error(`CHANGELOG.md: "### ${heading}" is not a kind of change that Artifact Hub supports`);
  return kind;
}

/** The entries of a section, with the kind from their heading (`### Added`). Links are replaced by their text. */
export function changesOf(section: string): Change[] {
  return section.split(/^### /m).flatMap((part) => {
    const [heading = "", ...lines] = part.split("\n");
    const entries = lines.join("\n").split(/^- /m).slice(1);
    return entries.map((entry) => ({
      kind: kindOf(heading.trim()),
      description: `${heading.trim() === "Breaking" ? "Breaking: " : ""}${entry}`
        .trim()
        .replaceAll(/\s+/g, " ")
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1"),
    }));
  });
}

if (import.meta.main) {
  try {
    process.stdout.write(sectionOf(readFileSync("CHANGELOG.md", "utf8"), process.argv[2] ?? ""));
  } catch (error) {
    process.stderr.write(`changelog: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
