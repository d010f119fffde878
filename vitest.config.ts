import { readFile } from "node:fs/promises";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // The bundle carries the scripts as text (build.mjs); the tests see them the same way.
  plugins: [
    {
      name: "shell-script-as-text",
      enforce: "pre",
      async load(id) {
        if (!id.endsWith(".sh")) return null;
        return `export default ${JSON.stringify(await readFile(id, "utf8"))};`;
      },
    },
  ],
  define: { ARC_PRIMER_VERSION: JSON.stringify("0.0.0-test") },
  test: {
    include: ["src/**/*.test.ts", "test/*.test.ts"],
    testTimeout: 20_000,
    maxWorkers: 3, // most of the time goes into waiting for servers and shells
    reporters: process.env["CI"] ? ["default", ["json", { outputFile: ".cache/unit-results.json" }]] : ["default"],
  },
});
