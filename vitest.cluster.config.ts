import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

// The cluster tests: run by test/cluster/run.sh, which brings the cluster up and down and names the tier.
const tier = process.env["CLUSTER_TIER"] ?? "apiserver";

export default defineConfig({
  ...base,
  test: {
    include: [`test/cluster/${tier}.test.ts`, `test/cluster/*.${tier}.test.ts`],
    fileParallelism: false, // there is one cluster
    testTimeout: 120_000,
    hookTimeout: 180_000,
    reporters: process.env["CI"]
      ? ["verbose", ["json", { outputFile: `.cache/cluster-${tier}-${process.env["KUBERNETES"]}-results.json` }]]
      : ["verbose"],
  },
});
