import type { Readable } from "../connect.ts";
import type { Readings } from "../readings.ts";

/** Where a check is listed. */
export type Group = "cluster" | "webhook" | "replicas" | "scale sets" | "surroundings";

/** One way in which something can be wrong. Words in capitals stand for names that a finding fills in. */
export interface Problem {
  /** `fail`: something does not work. `warn`: it works, and ought to be looked at. */
  readonly status: "warn" | "fail";
  readonly means: string;
  readonly do: string;
}

export type Finding<Code extends string = string> =
  /** What is in order. */
  | { readonly ok: string }
  /** Which problem there is, with what, and the names for the words in capitals. */
  | { readonly problem: Code; readonly what: string; readonly names?: Readonly<Record<string, string>> }
  /** Why it was not checked, and what would allow it, if something would. */
  | { readonly unknown: string; readonly do?: string };

/** A check: a function of what was read. Its name and the codes of its problems are stable. */
export interface Check<Code extends string = string> {
  readonly name: string;
  readonly group: Group;
  /** What it looks at, for the reference. */
  readonly looksAt: string;
  readonly problems: Readonly<Record<Code, Problem>>;
  /** Nothing, where there is nothing to look at. */
  look(readings: Readings): readonly Finding<NoInfer<Code>>[];
}

/** Makes a check whose findings can only be its own problems. */
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

/** The lines of these checks. A check that throws is one that was not made, and the others still are. */
export function runChecks(checks: readonly Check[], readings: Readings): Line[] {
  return checks.flatMap((one) => {
    try {
      return one.look(readings).map((finding) => line(one, finding));
    } catch (error) {
      const what = `this check failed itself, which is a bug: ${(error as Error).message}`;
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

/** Puts names in the place of words in capitals, of those that are given. */
function fill(text: string, names: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\b[A-Z][A-Z_]+\b/g, (word) => (Object.hasOwn(names, word) ? names[word]! : word));
}

/** Why something was not checked that could not be read. */
export function unreadable(what: string, readable: Exclude<Readable<unknown>, { found: unknown }>): Finding<never> {
  if ("forbidden" in readable) {
    return {
      unknown: `${what} may not be read: ${readable.forbidden}`,
      do: "Run this as a user with the rights in docs/operations/doctor.md.",
    };
  }
  return { unknown: `${what} could not be read: ${"missing" in readable ? readable.missing : readable.failed}` };
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
