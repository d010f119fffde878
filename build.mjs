// Bundles src/main.ts, shell scripts included, into dist/: arc-primer.mjs, and what only some of its subcommands need
// into chunks, which are loaded when they are called for; with NOTICE and sbom.cdx.json, which
// tell what it is made of, and the built-in pods of `arc-primer demo`. Takes about 0.5 s.
import { build } from "esbuild";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { basename, dirname, join } from "node:path";
import { billOfMaterials, bundledPackages, notice } from "./scripts/bundled.mjs";
import { podScriptModule } from "./scripts/pod-script.ts";

const { version } = JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8"));
const root = new URL(".", import.meta.url).pathname;
const dist = new URL("dist/", import.meta.url);

/** The pods of test/golden that go along, for `arc-primer demo`: ARC's layouts, and what is done to them beyond the wait. */
const demoPods = ["dind-sidecar", "dind-container", "default-mode", "kubernetes-mode", "windows"].concat(
  ["docker-injected", "prerequisites", "registries", "image-mirror", "finish-job-sidecar"], //
);

// When a built-in module is imported, Node evaluates all its properties. For node:http that loads the client for fetch and
// WebSocket, which the webhook does not use. `require` does not do this and saves 3.7 MB at rest (docs/decisions/0015).
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

const podScripts = {
  name: "pod-scripts",
  setup({ onLoad }) {
    onLoad({ filter: /\.sh$/ }, ({ path }) => ({ contents: podScriptModule(path), resolveDir: dirname(path) }));
  },
};

const { outputFiles, metafile } = await build({
  metafile: true,
  absWorkingDir: root,
  entryPoints: { "arc-primer": "src/main.ts" },
  bundle: true,
  splitting: true,
  outdir: "dist",
  outExtension: { ".js": ".mjs" },
  chunkNames: "chunk-[hash]",
  write: false,
  platform: "node",
  target: "node24",
  format: "esm",
  define: {
    ARC_PRIMER_VERSION: JSON.stringify(version),
    "process.env.NODE_ENV": '"production"', // dependencies read it often, and reading the environment is slow
  },
  plugins: [builtinsByRequire, podScripts],
  // Writes licence comments to separate files.
  legalComments: "linked",
  // Reduces the size by a third, for a faster start. Names are kept for stack traces in the log.
  minifyWhitespace: true,
  minifySyntax: true,
  // Some dependencies are CommonJS and call require() for Node's own modules.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
});

const parts = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
const inBundle = parts.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => join(root, path));
const packages = await bundledPackages(inBundle);

// Each file is written beside its place and renamed, the entry last: a build beside another one, or beside a program that
// is being started, never leaves half a file.
await mkdir(dist, { recursive: true });
const files = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
const entry = "arc-primer.mjs";
async function put(name, text, mode = 0o644) {
  const partial = new URL(
    name.replace(/[^/]+$/, (file) => `.${file}.${process.pid}`),
    dist,
  );
  await writeFile(partial, text, { mode });
  await rename(partial, new URL(name, dist));
}
for (const [name, text] of files) if (name !== entry) await put(name, text);
await put("NOTICE", notice(packages));
for (const name of demoPods) {
  await mkdir(new URL(`demo/${name}/`, dist), { recursive: true });
  for (const part of ["pod.yaml", "config.yaml"]) {
    await put(`demo/${name}/${part}`, await readFile(new URL(`test/golden/${name}/${part}`, import.meta.url), "utf8"));
  }
}
await put("sbom.cdx.json", billOfMaterials(packages, version));
await put(entry, `#!/usr/bin/env node\n${files.get(entry)}`, 0o755);
const stale = (await readdir(dist)).filter((name) => name.startsWith("chunk-") && !files.has(name));
await Promise.all(stale.map((name) => rm(new URL(name, dist), { force: true })));
