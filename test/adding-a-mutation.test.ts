import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { root } from "./support/docs.ts";

// Applies the example of docs/adding-a-mutation.md to a copy of the checkout, as a reader does.

const copy = mkdtempSync(join(tmpdir(), "arc-primer-example-"));
afterAll(() => rmSync(copy, { recursive: true }));

const page = readFileSync(join(root, "docs/adding-a-mutation.md"), "utf8");
const [mutation = "", setting = "", text = "", unitTest = ""] = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(
  ([, block = ""]) => block,
);

function edit(file: string, change: (text: string) => string): void {
  const path = join(copy, file);
  const before = readFileSync(path, "utf8");
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(path, after);
}

function run(program: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(join(copy, "node_modules/.bin", program), args, {
    cwd: copy,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  return stdout + stderr;
}

test("the example compiles, and its test passes", { timeout: 120_000 }, () => {
  for (const part of ["src", "scripts", "test/support", "test/golden", "package.json", "tsconfig.json"]) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  writeFileSync(join(copy, "src/mutations/docker-temp.ts"), mutation);
  writeFileSync(join(copy, "src/mutations/docker-temp.test.ts"), unitTest);
  edit("src/mutations/index.ts", (before) =>
    `import { dockerTemp } from "./docker-temp.ts";\n${before}`.replace(
      "  prerequisites,\n",
      "  dockerTemp,\n  prerequisites,\n",
    ),
  );
  edit("src/config/docker.ts", (before) => before.replace("    wait,\n", `    wait,\n${setting}`));
  edit("src/report/mutation-texts.ts", (before) => before.replace("  prerequisites: {", `${text}  prerequisites: {`));
  // The configuration of vitest would build the bundle first.
  const plugin = readFileSync(join(root, "vitest.config.ts"), "utf8").replace(/^.*globalSetup.*\n/m, "");
  writeFileSync(join(copy, "vitest.config.ts"), plugin);

  expect(run("tsc", "-p", ".")).toBe("");
  expect(run("vitest", "run", "src/mutations/docker-temp.test.ts", "src/report")).toMatch(
    /Tests {2}\d+ passed \(\d+\)/,
  );
});
