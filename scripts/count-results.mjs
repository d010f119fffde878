// Adds up vitest's results files in .cache and prints the failures and the totals, for the last line of .ci/run.
// usage: node scripts/count-results.mjs OTHER-FAILURES
import { readFileSync, readdirSync } from "node:fs";

let [passed, failed] = [0, Number(process.argv[2])];
for (const name of readdirSync(".cache").filter((file) => file.endsWith("-results.json"))) {
  const { testResults, numPassedTests } = JSON.parse(readFileSync(`.cache/${name}`, "utf8"));
  passed += numPassedTests;
  for (const file of testResults.filter(({ status }) => status === "failed")) {
    const tests = file.assertionResults.filter(({ status }) => status === "failed");
    // If a file could not be loaded or its setup failed, it has failed without any failed test.
    const failures = tests.length
      ? tests
      : [{ fullName: "(loading or setup of the file)", failureMessages: [file.message] }];
    failed += failures.length;
    for (const { fullName, failureMessages } of failures) {
      console.log(`failed: ${file.name}: ${fullName}\n${failureMessages.join("\n").slice(0, 1500)}\n`);
    }
  }
}
if (process.argv[2] !== "0") console.log("failed: a step other than the tests; see above");
if (passed === 0) failed ||= 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
