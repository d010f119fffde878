import { checks } from "../src/cluster/checks/index.ts";
import { page, table } from "./markdown.ts";

const marks = { warn: "!", fail: "✗" } as const;

/** The page docs/reference/doctor.md. */
export function doctorReference(): string {
  const groups = [...new Set(checks.map(({ group }) => group))];
  return page(
    "# The checks of doctor",
    "<!-- Written by npm run generate, from src/cluster/checks. -->",
    "[`arc-primer doctor`](../operations/doctor.md) makes these checks, in this order. `check/problem` is the code that it prints; `-o json` has it as `check` and `problem`. The codes do not change from one version to the next. ✗ is broken, and makes the exit code 1; ! works, and ought to be looked at. Words in capitals stand for names.",
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
