import { defineConfig } from "vitest/config";
import { podScriptModule } from "./scripts/pod-script.ts";

export default defineConfig({
  // The bundle carries the scripts as text (build.mjs); the tests see them the same way.
  plugins: [
    {
      name: "shell-script-as-text",
      enforce: "pre",
      load(id) {
        if (!id.endsWith(".sh")) return null;
        return podScriptModule(id);
      },
    },
  ],
  define: { ARC_PRIMER_VERSION: JSON.stringify("0.0.0-test") },
  test: {
    globalSetup: "test/support/build.ts",
    include: ["src/**/*.test.ts", "test/*.test.ts"],
    testTimeout: 20_000,
    maxWorkers: 3, // most of the time goes into waiting for servers and shells
    reporters: process.env["CI"] ? ["default", ["json", { outputFile: ".cache/unit-results.json" }]] : ["default"],
  },
});
