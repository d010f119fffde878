// Adds up the results files that vitest left in .cache, for the last line of .ci/run.
// usage: node scripts/count-results.mjs OTHER-FAILURES
import { readFileSync, readdirSync } from "node:fs";

let [passed, failed] = [0, Number(process.argv[2])];
for (const name of readdirSync(".cache").filter((file) => file.endsWith("-results.json"))) {
  const { testResults, numPassedTests, numFailedTests } = JSON.parse(readFileSync(`.cache/${name}`, "utf8"));
  passed += numPassedTests;
  // A file that could not even be loaded, or whose preparations failed, has failed without a test that did.
  failed +=
    numFailedTests +
    testResults.filter(
      (file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"),
    ).length;
}
if (passed === 0) failed ||= 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
