// Bundles src/main.ts, shell scripts included, into the one file that ships. About 0.2 s.
import { build } from "esbuild";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { isBuiltin } from "node:module";

const { version } = JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8"));
const target = new URL("dist/arc-primer.mjs", import.meta.url);

// Node looks at every part of its own modules when they are imported, and node:http then loads the client for fetch
// and WebSocket, which nobody needs at the start. What is required is only handed on.
const builtinsByRequire = {
  name: "builtins-by-require",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return null;
      return kind === "import-statement" ? { path, namespace: "builtin" } : { path, external: true };
    });
    onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({ contents: `module.exports = require("${path}")` }));
  },
};

// See src/not-bundled.ts. By the importer as well, for one of them is named by a path.
const uncalled = [
  { path: "undici", importer: "/@kubernetes/client-node/" },
  { path: "./gen/index.js", importer: "/@kubernetes/client-node/dist/config.js" },
  { path: "body-parser", importer: "/express/" },
];
const notBundled = {
  name: "not-bundled",
  setup({ onResolve, onEnd }) {
    const unmet = new Set(uncalled);
    onResolve({ filter: /^(undici|\.\/gen\/index\.js|body-parser)$/ }, ({ path, importer }) => {
      const found = uncalled.find((one) => one.path === path && importer.includes(one.importer));
      unmet.delete(found);
      return found ? { path: new URL("src/not-bundled.ts", import.meta.url).pathname } : null;
    });
    onEnd(() => {
      const [one] = unmet;
      if (one) throw new Error(`nothing in ${one.importer} imports ${one.path} any more: see src/not-bundled.ts`);
    });
  },
};

const { outputFiles } = await build({
  absWorkingDir: new URL(".", import.meta.url).pathname,
  entryPoints: ["src/main.ts"],
  bundle: true,
  write: false,
  platform: "node",
  target: "node24",
  format: "esm",
  loader: { ".sh": "text" },
  define: {
    ARC_PRIMER_VERSION: JSON.stringify(version),
    "process.env.NODE_ENV": '"production"', // dependencies ask for it at every turn, and the environment is slow to read
  },
  plugins: [notBundled, builtinsByRequire],
  legalComments: "eof",
  // A third less to read at the start. Names stay, for the stacks in the log.
  minifyWhitespace: true,
  minifySyntax: true,
  // Some dependencies are CommonJS and call require() for Node's own modules.
  banner: {
    js: '#!/usr/bin/env node\nimport { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
});

// Written beside and renamed, so that two builds at once never leave half a file.
await mkdir(new URL("dist/", import.meta.url), { recursive: true });
// A single letter beyond ASCII (one is in a licence) makes V8 keep the whole text at two bytes a letter.
if (/\\[^\0-\x7f]/.test(outputFiles[0].text))
  throw new Error("a letter beyond ASCII behind a backslash: escape it at its source");
const text = outputFiles[0].text.replaceAll(
  /[^\0-\x7f]/g,
  (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
);
const partial = new URL(`dist/.arc-primer.${process.pid}.mjs`, import.meta.url);
await writeFile(partial, text, { mode: 0o755 });
await rename(partial, target);
