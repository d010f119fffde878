import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { haveTools } from "../../test/support/tools.ts";
import { scripts } from "./index.ts";

const read = (file: string) => readFileSync(new URL(file, import.meta.url), "utf8");

test("every script in the directory is listed", () => {
  const files = readdirSync(new URL(".", import.meta.url)).filter((file) => file.endsWith(".sh"));
  expect(Object.keys(scripts)).toEqual(files.toSorted());
});

test.each(Object.keys(scripts) as (keyof typeof scripts)[])(
  "%s equals its file with the shared functions inserted",
  (name) => {
    const lines = read(name).split("\n");
    const shared = /^\. (\.\/shared\/.*)$/;
    const expected = lines.flatMap((line) => {
      const [, file] = shared.exec(line) ?? [];
      return file ? read(file).split("\n").slice(1, -1) : [line]; // without the line for shellcheck
    });
    expect(scripts[name]).toBe(expected.join("\n"));
  },
);

test.runIf(haveTools("shellcheck")).each(Object.keys(scripts))("shellcheck finds nothing in %s", (name) => {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const { stdout, status } = spawnSync("shellcheck", ["-s", "sh", "-S", "style", file], { encoding: "utf8" });
  expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
});

test("no function is duplicated in two scripts", () => {
  const functions = Object.keys(scripts).flatMap((name) => read(name).match(/^\w+\(\) [{(][^]*?^[})]$/gm) ?? []);
  expect(functions.filter((text, index) => functions.indexOf(text) !== index)).toEqual([]);
});
