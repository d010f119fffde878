import { reported } from "./decision.ts";
import type { Primed } from "./decision.ts";
import { deciders } from "./deciders.ts";
import type { Decider } from "./deciders.ts";
import { mutationTexts } from "./mutation-texts.ts";
import { explain, isCode } from "./reasons.ts";
import type { Code } from "./reasons.ts";
import type { Status } from "./status.ts";

/** The setting that decides: its full name, and its value if it is a number or a boolean. */
export interface Setting {
  readonly where: Decider["where"];
  readonly name: string;
  readonly value?: boolean | number;
}

/** One sentence of an explanation, and the setting to change for another result. */
export interface Statement {
  readonly code?: string;
  readonly text: string;
  readonly setting?: Setting;
}

export interface MutationAccount {
  readonly mutation: string;
  readonly said: readonly Statement[];
}

/** What was done to a pod or would be done, and the reasons for what was not done. */
export interface Account {
  /** Absent if the pod was left unchanged. */
  readonly profile?: string;
  /** The version of arc-primer that wrote the pod's status. */
  readonly version?: string;
  /** About the pod as a whole, for example why it was left unchanged, or which requested profile it did not get. */
  readonly general: readonly Statement[];
  readonly applied: readonly MutationAccount[];
  readonly skipped: readonly MutationAccount[];
  /** The mutations that the profile does not configure. */
  readonly notConfigured: readonly MutationAccount[];
}

/** Returns the value of a profile's setting at a path, if it is known. */
export type ValueAt = (path: string) => unknown;

/**
 * Converts the engine's result for a pod to sentences.
 *
 * @param about.profile the chosen profile, even if it is disabled
 * @param about.earlier the pod's status from its creation. A mutation that it lists as applied still counts as applied if
 *   its changes are in place, as in the status annotation
 */
export function accountOf(
  primed: Primed,
  about: { profile: string; at: ValueAt; earlier?: Status | undefined },
): Account {
  const { decision, mode, outcomes, statusLeftOut } = primed;
  const { profile, at, earlier } = about;
  const say = (code: Code, mutation?: string) => statement(code, profile, mutation, at);
  const audit: Statement = {
    text: "The configuration's mode is audit, so no pod is changed. This shows what would be done.",
    setting: { where: "configuration", name: "mode" },
  };
  if (decision.kind === "skip") {
    const { reason, field } = decision;
    const whole = say(reason);
    const text = field === undefined ? whole.text : `${whole.text} The first invalid field is ${field}.`;
    return { general: [{ ...whole, text }], applied: [], skipped: [], notConfigured: [] };
  }
  const general = [
    ...(mode === "audit" ? [audit] : []),
    ...(decision.problem ? [say(decision.problem)] : []),
    ...(statusLeftOut ? [say("no-room-for-status")] : []),
  ];
  const accounts = reported(outcomes).map(({ mutation, reason, notes }) => {
    const isApplied = !reason || (reason === "already-there" && earlier?.applied.includes(mutation) === true);
    const first = isApplied ? purpose(mutation, profile, at) : say(reason, mutation);
    return { mutation, isApplied, said: [first, ...notes.map((code) => say(code, mutation))] };
  });
  const silent = outcomes.filter(({ reason }) => reason === "not-configured");
  return {
    profile,
    general,
    applied: accounts.filter(({ isApplied }) => isApplied).map(({ mutation, said }) => ({ mutation, said })),
    skipped: accounts.filter(({ isApplied }) => !isApplied).map(({ mutation, said }) => ({ mutation, said })),
    notConfigured: silent.map(({ mutation }) => ({ mutation, said: [say("not-configured", mutation)] })),
  };
}

/** Converts a pod's status annotation to sentences. Unknown codes, from another version, are shown unchanged. */
export function accountOfStatus({ version, profile, problem, applied, skipped, notes = {} }: Status): Account {
  const say = (code: string, mutation?: string): Statement =>
    isCode(code)
      ? statement(code, profile, mutation)
      : { code, text: "This version of arc-primer does not know the code." };
  const notesOf = (mutation: string) =>
    (Object.hasOwn(notes, mutation) ? notes[mutation]! : []).map((code) => say(code, mutation));
  return {
    profile,
    version,
    general: problem === undefined ? [] : [say(problem)],
    applied: applied.map((mutation) => ({ mutation, said: [purpose(mutation, profile), ...notesOf(mutation)] })),
    skipped: Object.entries(skipped).map(([mutation, reason]) => ({
      mutation,
      said: [say(reason, mutation), ...notesOf(mutation)],
    })),
    notConfigured: [],
  };
}

function purpose(mutation: string, profile: string, at?: ValueAt): Statement {
  const about = Object.hasOwn(mutationTexts, mutation) ? mutationTexts[mutation] : undefined;
  if (!about) return { text: "This version of arc-primer does not know the mutation." };
  return { text: about.does, setting: settingOf({ where: "profile", name: about.setting }, profile, at) };
}

function statement(code: Code, profile: string, mutation?: string, at?: ValueAt): Statement {
  const setting = settingOf(decider(code, mutation), profile, at);
  return { code, text: explain(code), ...(setting.where !== "bug" && { setting }) };
}

/** The setting that decides about a code. For a code that several mutations share, this is the mutation's own setting. */
export function decider(code: Code, mutation: string | undefined): Decider {
  const found = deciders[code];
  const about = mutation !== undefined && Object.hasOwn(mutationTexts, mutation) ? mutationTexts[mutation] : undefined;
  if (found.where !== "mutation" || !about) return found;
  return { where: "profile", name: code === "disabled" ? (about.switch ?? about.setting) : about.setting };
}

function settingOf({ where, name }: Decider, profile: string, at?: ValueAt): Setting {
  if (where !== "profile") return { where, name };
  const value = at?.(name);
  const isShort = typeof value === "boolean" || typeof value === "number";
  return { where, name: `profiles.${profile}.${name}`, ...(isShort && { value }) };
}
