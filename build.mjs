// Bundles src/main.ts, shell scripts included, into the one file that ships. About 0.2 s.
import { build } from "esbuild";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";

const { version } = JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8"));
const target = new URL("dist/arc-primer.mjs", import.meta.url);

const { outputFiles } = await build({
  absWorkingDir: new URL(".", import.meta.url).pathname,
  entryPoints: ["src/main.ts"],
  bundle: true,
  write: false,
  platform: "node",
  target: "node24",
  format: "esm",
  loader: { ".sh": "text" },
  define: { ARC_PRIMER_VERSION: JSON.stringify(version) },
  legalComments: "eof",
  // Some dependencies are CommonJS and call require() for Node's own modules.
  banner: {
    js: '#!/usr/bin/env node\nimport { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
});

// Written beside and renamed, so that two builds at once never leave half a file.
await mkdir(new URL("dist/", import.meta.url), { recursive: true });
const partial = new URL(`dist/.arc-primer.${process.pid}.mjs`, import.meta.url);
await writeFile(partial, outputFiles[0].contents, { mode: 0o755 });
await rename(partial, target);
