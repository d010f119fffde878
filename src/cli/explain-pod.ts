import { bundleAge } from "../bundles/bundle.ts";
import type { Bundle } from "../bundles/bundle.ts";
import type { Config } from "../config/schema.ts";
import { createPrime } from "../engine/prime.ts";
import { chooseProfile, profileAnnotation } from "../engine/profile.ts";
import { mutations } from "../mutations/index.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import { isPod } from "../pod/shape.ts";
import type { Pod } from "../pod/types.ts";
import { accountOf, accountOfStatus } from "../report/account.ts";
import type { Statement } from "../report/account.ts";
import { choiceStatement } from "../report/choice.ts";
import type { Primed } from "../report/decision.ts";
import { evidenceOf } from "../report/evidence.ts";
import { differencesOf } from "../report/explanation.ts";
import type { Explanation } from "../report/explanation.ts";
import { readStatus } from "../report/status.ts";

/** The input for the explanation of one pod. */
export interface PodToExplain {
  readonly subject: string;
  /** The pod in its current state. It has not been validated. */
  readonly pod: unknown;
  /**
   * The pod as ARC's controller created it, before admission, if it is known. It is primed to find out what would be done
   * now.
   */
  readonly original?: Pod | undefined;
  readonly namespace: string;
  readonly podSecurity: PodSecurity;
  readonly config: Config;
  /** The package bundles that are ready. */
  readonly bundles?: readonly Bundle[];
  /** The current time in milliseconds since 1970. It determines the age of bundles. */
  readonly time?: number;
  /** Statements about what happens before the webhook is called. */
  readonly before?: readonly Statement[];
}

const prime = createPrime({ mutations, version: ARC_PRIMER_VERSION });

/**
 * Explains what was done to a pod and what would be done now. Also returns the primed pod. Uses the same engine as the
 * webhook.
 */
export function explainPod(input: PodToExplain): { explanation: Explanation; primed: Primed } {
  const primed = primeOf(input);
  return { explanation: explanationOf(input, primed), primed };
}

function primeOf({ pod, original, namespace, podSecurity, config, bundles = [] }: PodToExplain): Primed {
  return prime(original ?? pod, { namespace, podSecurity, config, bundles });
}

function explanationOf(input: PodToExplain, primed: Primed): Explanation {
  const { subject, pod, original, namespace, config, before = [] } = input;
  const { profile, statement } = choiceOf(primed, original ?? pod, namespace, config);
  const status = isPod(pod) ? readStatus(pod.metadata.annotations) : undefined;
  const settingAt = (path: string) => valueAt(config.profiles[profile], path);
  const now = accountOf(primed, { profile, at: settingAt, earlier: original ? undefined : status });
  const explanation = { subject, before: [...before, ...(statement ? [statement] : [])], now };
  if (!isPod(pod)) return { ...explanation, evidence: [] };

  const { bundles = [], time = 0 } = input;
  const evidence = evidenceOf(
    pod,
    bundles.map((bundle) => ({ ...bundle, age: bundleAge(bundle, time) })),
  );
  if (!status) return { ...explanation, evidence };
  const done = accountOfStatus(status);
  const after = original && isPod(primed.pod) ? primed.pod : undefined;
  return { ...explanation, done, evidence, differences: differencesOf(done, now, { before: pod, after }) };
}

/** The profile of a pod and why it was chosen. There is no statement if the pod is skipped before a profile is chosen. */
function choiceOf({ decision }: Primed, pod: unknown, namespace: string, config: Config) {
  const hasProfile = decision.kind === "mutate" || decision.reason === "profile-disabled";
  if (!hasProfile || !isPod(pod)) return { profile: "default" };
  const scaleSet = decision.scaleSet ?? "";
  const runner = { namespace, scaleSet };
  const { profile, rule } = chooseProfile(config, runner, pod.metadata.annotations?.[profileAnnotation]);
  const byAnnotation = profile.name !== chooseProfile(config, runner, undefined).profile.name;
  return {
    profile: profile.name,
    statement: choiceStatement({ ...runner, profile: profile.name, rule, byAnnotation }),
  };
}

function valueAt(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((parent, key) => (parent as Record<string, unknown> | undefined)?.[key], value);
}
