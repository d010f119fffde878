import { checks } from "../src/cluster/checks/index.ts";
import { page, table } from "./markdown.ts";

const marks = { warn: "!", fail: "✗" } as const;

/** The page docs/reference/doctor.md. */
export function doctorReference(): string {
  const groups = [...new Set(checks.map(({ group }) => group))];
  return page(
    "# The checks of doctor",
    "<!-- Written by npm run generate, from src/cluster/checks. -->",
    "[`arc-primer doctor`](../operations/doctor.md) runs these checks, in this order. It prints the code as `check/problem`; `-o json` has the fields `check` and `problem`. The codes do not change between versions. ✗ means that something is broken, and sets the exit code to 1. ! means that it works but needs attention. Words in capitals are placeholders.",
    ...groups.flatMap((group) => [
      `## ${group[0]!.toUpperCase()}${group.slice(1)}`,
      ...checks
        .filter((check) => check.group === group)
        .flatMap(({ name, description, problems }) => [
          `### ${name}`,
          description,
          table(
            ["", "code", "what it means", "what to do"],
            Object.entries(problems).map(([code, problem]) => [
              marks[problem.status],
              `\`${name}/${code}\``,
              problem.means,
              problem.do,
            ]),
          ),
        ]),
    ]),
  );
}
