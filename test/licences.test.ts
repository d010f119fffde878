import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "arc-primer-licences-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("NOTICE contains the licences of the packages in the bundle", () => {
  const text = readFileSync(join(root, "dist/NOTICE"), "utf8");
  for (const name of ["commander", "zod", "pino", "yaml", "@peculiar/x509"])
    expect(text).toMatch(new RegExp(`^${name} [\\d.]+ \\(`, "m"));
  expect(text.match(/Permission is hereby granted/g)!.length).toBeGreaterThan(10);
  expect(text).toContain("Redistribution and use in source and binary forms");
});

test("the SBOM lists the same packages", () => {
  const { components } = JSON.parse(readFileSync(join(root, "dist/sbom.cdx.json"), "utf8")) as {
    components: { name: string; version: string; purl: string }[];
  };
  const inNotice = readFileSync(join(root, "dist/NOTICE"), "utf8").match(/(?<=^-{80}\n\n)\S+ \S+(?= \()/gm);
  expect(components.map(({ name, version }) => `${name} ${version}`)).toEqual(inNotice);
  const peculiar = components.find(({ name }) => name === "@peculiar/x509")!;
  expect(peculiar.purl).toBe(`pkg:npm/%40peculiar/x509@${peculiar.version}`);
});

test("npm pack includes NOTICE and LICENSE, and the Dockerfile copies both into the image", () => {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout } = spawnSync("npm", args, { cwd: root, encoding: "utf8" });
  const packed = /"files": (\[[^]*?\])/.exec(stdout)?.[1] ?? "[]";
  const paths = (JSON.parse(packed) as { path: string }[]).map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["LICENSE", "dist/NOTICE", "dist/sbom.cdx.json"]));
  const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");
  const last = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
  expect(last.match(/^COPY .*$/gm)).toEqual(["COPY LICENSE /app/", "COPY --from=build /src/dist /app"]);
});

/** The NOTICE text, or the error, of a build whose bundle contains a file of this package. */
function noticeOf(name: string, license: string | undefined, files: Record<string, string>) {
  const packageFolder = join(folder, "node_modules", name);
  mkdirSync(packageFolder, { recursive: true });
  writeFileSync(join(packageFolder, "package.json"), JSON.stringify({ name, version: "1.0.0", license }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(packageFolder, file), text);
  const program = `import { bundledPackages, notice } from ${JSON.stringify(join(root, "scripts/bundled.mjs"))};
    const say = (packages) => process.stdout.write(notice(packages));
    await bundledPackages(process.argv.slice(1)).then(say, (error) => process.stderr.write(error.message));`;
  const args = [
    "--input-type=module",
    "--eval",
    program,
    join(packageFolder, "lib/index.js"),
    join(root, "src/main.ts"),
  ];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return { stdout, stderr };
}

test("a package's licence text is included, whatever its file is called", () => {
  const { stdout, stderr } = noticeOf("@scope/fine", "MIT", { "License-MIT.md": "the terms\n", NOTICE: "thanks" });
  expect(stderr).toBe("");
  expect(stdout).toMatch(/\n-+\n\n@scope\/fine 1\.0\.0 \(MIT\)\n\nthe terms\n\nthanks\n$/);
});

test("a package without a licence text, or with a licence that is not accepted, fails the build", () => {
  const fails = (...args: Parameters<typeof noticeOf>) => noticeOf(...args).stderr;
  expect(fails("textless", "MIT", {})).toContain("textless 1.0.0 (MIT): the package contains no licence text");
  expect(fails("copyleft", "GPL-3.0", { LICENSE: "text" })).toContain(
    "copyleft 1.0.0 (GPL-3.0): the licence is not one",
  );
  const unnamed = fails("unnamed", undefined, {});
  expect(unnamed.match(/^unnamed 1\.0\.0/gm)).toHaveLength(2);
});
