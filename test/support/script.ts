import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { findTool } from "./tools.ts";

// Shared by the tests of src/scripts: the shells, and temporary directories and PATHs.

const commands = { dash: ["dash"], bash: ["bash", "--posix"], "bash, not posix": ["bash"], busybox: ["busybox", "sh"] };

/** The shells to run the scripts with, each with its command line, for `describe.each`. */
export const allShells = Object.entries(commands).map(([name, [program = "", ...options]]): [string, string[]] => [
  name,
  [findTool(program) ?? program, ...options],
]);

/** The same shells without bash in non-POSIX mode, which saves a quarter of the time. */
export const shells = allShells.filter(([name]) => name !== "bash, not posix");

/** A directory for the files of a test file, readable for other users. It is removed after the last test. */
export function workspace() {
  const root = mkdtempSync(join(tmpdir(), "arc-primer-script-"));
  chmodSync(root, 0o755);
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  let count = 0;

  function folder(): string {
    const path = join(root, String((count += 1)));
    mkdirSync(path);
    return path;
  }

  /** A PATH that contains only these programs: programs of the machine (by name) and shell scripts (by their text). */
  function pathWith(...programs: (string | [name: string, script: string])[]): string {
    const path = folder();
    for (const program of programs) {
      if (typeof program === "string") symlinkSync(findTool(program)!, join(path, program));
      else writeFileSync(join(path, program[0]), `#!${findTool("dash")}\n${program[1]}\n`, { mode: 0o755 });
    }
    return path;
  }
  return { root, folder, pathWith };
}
