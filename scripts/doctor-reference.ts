import { checks } from "../src/cluster/checks/index.ts";
import { page, table } from "./markdown.ts";

const marks = { warn: "!", fail: "✗" } as const;

/** The page docs/reference/doctor.md. */
export function doctorReference(): string {
  const groups = [...new Set(checks.map(({ group }) => group))];
  return page(
    "# The checks of doctor",
    "<!-- Written by npm run generate, from src/cluster/checks. -->",
    "[`arc-primer doctor`](../operations/doctor.md) runs these checks, in this order. It prints each problem with the code `check/problem`; with `-o json`, the code is in the fields `check` and `problem`. The codes do not change between versions. ✗ marks a failure: the exit code is 1. ! marks a warning: everything works, but should be reviewed. Words in capitals are placeholders for names.",
    ...groups.flatMap((group) => [
      `## ${group[0]!.toUpperCase()}${group.slice(1)}`,
      ...checks
        .filter((check) => check.group === group)
        .flatMap(({ name, looksAt, problems }) => [
          `### ${name}`,
          looksAt,
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
