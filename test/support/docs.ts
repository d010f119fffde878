import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

// Reads the code blocks of the documentation, and whether a page marks them as not run. docs/contributing/writing.md
// describes the convention.

/** The root directory of the checkout. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** One code block. */
export interface Block {
  /** The path of the page in the checkout. */
  readonly page: string;
  /** The line number of its opening fence. */
  readonly line: number;
  /** Such as `sh` or `yaml`. Empty if the block names no language. */
  readonly language: string;
  /** The text between the fences, without the indentation of a list. */
  readonly text: string;
  /** Whether a paragraph `Not run here: …` is directly above it, or is the first paragraph of a section around it. */
  readonly isMarked: boolean;
}

/** All pages that tests check, as paths in the checkout: the chart's README, docs/, and the root without the changelog. */
export function docPages(): string[] {
  const docs = readdirSync(`${root}docs`, { recursive: true, encoding: "utf8" }).map((file) => `docs/${file}`);
  return ["README.md", "CONTRIBUTING.md", "SECURITY.md", "charts/arc-primer/README.md", ...docs.toSorted()].filter(
    (file) => file.endsWith(".md"),
  );
}

/** The code blocks of all pages. */
export function docBlocks(): Block[] {
  return docPages().flatMap((page) => blocksOf(page, readFileSync(root + page, "utf8")));
}

/** @param page the path of the page, for messages */
export function blocksOf(page: string, text: string): Block[] {
  const blocks: Block[] = [];
  /** The level of the heading whose section is marked; Infinity outside of such a section. */
  let marked = Infinity;
  let before: Part | undefined;
  let heading = 0;
  for (const part of partsOf(page, text)) {
    if (part.kind === "heading") {
      heading = part.level;
      if (heading <= marked) marked = Infinity;
    }
    if (isMark(part) && before?.kind === "heading") marked = Math.min(marked, heading);
    if (part.kind === "block") {
      const { line, language, body } = part;
      blocks.push({ page, line, language, text: body, isMarked: marked < Infinity || isMark(before) });
    }
    before = part;
  }
  return blocks;
}

function isMark(part: Part | undefined): boolean {
  return part?.kind === "paragraph" && part.text.startsWith(mark);
}

type Part =
  | { readonly kind: "heading"; readonly level: number }
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "block"; readonly line: number; readonly language: string; readonly body: string };

/** Splits a page into headings, paragraphs and code blocks. Comments are left out. */
function partsOf(page: string, text: string): Part[] {
  const parts: Part[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index]!;
    const [fence, indent = "", language = ""] = /^( *)```(\S*)/.exec(line) ?? [];
    const [, hashes] = /^(#+) /.exec(line) ?? [];
    const isFollowUp = index > 0 && lines[index - 1]!.trim() !== "";
    if (fence !== undefined) {
      const end = lines.findIndex((other, at) => at > index && other.trimEnd() === `${indent}\`\`\``);
      if (end < 0) throw new Error(`${page}:${index + 1}: this block is not closed`);
      const body = lines.slice(index + 1, end).map((one) => `${one.slice(indent.length)}\n`);
      parts.push({ kind: "block", line: index + 1, language, body: body.join("") });
      index = end;
    } else if (hashes) parts.push({ kind: "heading", level: hashes.length });
    else if (line.trim() !== "" && !line.startsWith("<!--") && !(isFollowUp && parts.at(-1)?.kind === "paragraph"))
      parts.push({ kind: "paragraph", text: line.trim() });
  }
  return parts;
}

const mark = "Not run here";

/** Whether a block contains shell commands. */
export function isShell({ language }: Block): boolean {
  return ["sh", "bash", "shell", "console"].includes(language);
}

/** A command of a block. */
export interface Command {
  /** The page and the line of its block, such as `README.md:61`. */
  readonly where: string;
  /** The command in one line, without a comment at its end. */
  readonly text: string;
  readonly isMarked: boolean;
}

/**
 * The commands of a block. Each line is a command. Commands that are joined by `&&` are separate, a pipeline is one command.
 * A block with a here document is one command.
 */
export function commandsOf(block: Block): Command[] {
  const where = `${block.page}:${block.line}`;
  if (block.text.includes("<<")) return [{ where, text: block.text.trim(), isMarked: block.isMarked }];
  const lines = block.text.replaceAll(/\\\n\s*/g, "").split("\n");
  return lines.flatMap((line) => {
    const [, text = "", comment = ""] = withComment.exec(line) ?? [];
    const isMarked = block.isMarked || comment.toLowerCase().startsWith(mark.toLowerCase());
    const commands = text.split(" && ").map((one) => one.trim().replaceAll(/\s{2,}/g, " "));
    return commands.filter(Boolean).map((one) => ({ where, text: one, isMarked }));
  });
}

/** Matches a line and the comment at its end. A `#` in quotes does not start a comment. */
const withComment = /^((?:'[^']*'|"[^"]*"|[^'"])*?)(?:(?:^|\s)#\s+(.*))?$/;

/** All commands of the documentation. */
export function docCommands(): Command[] {
  return docBlocks()
    .filter(isShell)
    .flatMap((block) => commandsOf(block));
}
