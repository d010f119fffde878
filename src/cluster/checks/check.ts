import type { ReadResult } from "../connect.ts";
import type { Readings } from "../readings.ts";

/** The heading that a check is listed under. */
export type Group = "cluster" | "webhook" | "replicas" | "scale sets" | "environment";

/** A problem that a check can report. Words in capitals are placeholders, which a finding replaces by names. */
export interface Problem {
  /** `fail`: something does not work. `warn`: it works, but needs attention. */
  readonly status: "warn" | "fail";
  readonly means: string;
  readonly do: string;
}

export type Finding<Code extends string = string> =
  /** What was checked, if there is no problem. */
  | { readonly ok: string }
  /** The code of the problem, what was found, and the names for the placeholders. */
  | { readonly problem: Code; readonly what: string; readonly names?: Readonly<Record<string, string>> }
  /** Why the check could not run, and what would make it possible. */
  | { readonly unknown: string; readonly do?: string };

/** A check: a pure function of the readings. Its name and the codes of its problems are stable. */
export interface Check<Code extends string = string> {
  readonly name: string;
  readonly group: Group;
  /** What it checks. The reference prints this. */
  readonly description: string;
  readonly problems: Readonly<Record<Code, Problem>>;
  /** Returns no findings if there is nothing to check, such as the caches of a release without any. */
  run(readings: Readings): readonly Finding<NoInfer<Code>>[];
}

/** Creates a check. The type system only allows findings with a code from its `problems`. */
export function check<const Code extends string>(parts: Check<Code>): Check {
  return parts as unknown as Check;
}

/** One line of the result. */
export interface Line {
  readonly status: "ok" | "warn" | "fail" | "unknown";
  readonly group: Group;
  readonly check: string;
  readonly problem?: string;
  /** What was found. */
  readonly what: string;
  readonly means?: string;
  readonly do?: string;
}

/** Runs the checks. A check that throws is reported as `unknown`, and the others still run. */
export function runChecks(checks: readonly Check[], readings: Readings): Line[] {
  return checks.flatMap((one) => {
    try {
      return one.run(readings).map((finding) => line(one, finding));
    } catch (error) {
      const what = `this check threw an error, which is a bug in arc-primer: ${(error as Error).message}`;
      return [{ status: "unknown" as const, group: one.group, check: one.name, what }];
    }
  });
}

function line({ name, group, problems }: Check, finding: Finding): Line {
  if ("ok" in finding) return { status: "ok", group, check: name, what: finding.ok };
  if ("unknown" in finding) {
    const advice = finding.do === undefined ? {} : { do: finding.do };
    return { status: "unknown", group, check: name, what: finding.unknown, ...advice };
  }
  const problem = problems[finding.problem]!;
  const { names = {} } = finding;
  return {
    status: problem.status,
    group,
    check: name,
    problem: finding.problem,
    what: finding.what,
    means: fill(problem.means, names),
    do: fill(problem.do, names),
  };
}

/** Replaces each placeholder, a word in capitals, that has an entry in `names`. */
function fill(text: string, names: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\b[A-Z][A-Z_]+\b/g, (word) => (Object.hasOwn(names, word) ? names[word]! : word));
}

/** The finding for something that could not be read. */
export function unreadable(what: string, result: Exclude<ReadResult<unknown>, { found: unknown }>): Finding<never> {
  if ("forbidden" in result) {
    return {
      unknown: `no permission to read ${what}: ${result.forbidden}`,
      do: "Run this command as a user with the permissions in docs/operations/doctor.md.",
    };
  }
  return { unknown: `cannot read ${what}: ${"missing" in result ? result.missing : result.failed}` };
}

/** `a`, `a and b`, `a, b, c and 4 more`. */
export function listed(names: readonly string[], most = 5): string {
  const shown = names.length > most ? [...names.slice(0, most), `${names.length - most} more`] : names;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

/** `1 pod`, `2 pods`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
