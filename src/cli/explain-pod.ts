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

/** What it takes to explain one pod. */
export interface PodToExplain {
  readonly subject: string;
  /** The pod as it is; nothing is assumed about it. */
  readonly pod: unknown;
  /** The pod as ARC asked for it, where that is known: what would be done now is told of this one. */
  readonly asked?: Pod | undefined;
  readonly namespace: string;
  readonly podSecurity: PodSecurity;
  readonly config: Config;
  /** The package bundles that are ready. */
  readonly bundles?: readonly Bundle[];
  /** Now, in milliseconds since 1970, for the age of bundles. */
  readonly time?: number;
  /** What was found before the webhook comes in. */
  readonly before?: readonly Statement[];
}

const prime = createPrime({ mutations, version: ARC_PRIMER_VERSION });

/** What was done to a pod and what would be done now, by the same engine as the webhook's; and what that makes of it. */
export function explainPod(given: PodToExplain): { explanation: Explanation; primed: Primed } {
  const primed = primeOf(given);
  return { explanation: explanationOf(given, primed), primed };
}

function primeOf({ pod, asked, namespace, podSecurity, config, bundles = [] }: PodToExplain): Primed {
  return prime(asked ?? pod, { namespace, podSecurity, config, bundles });
}

function explanationOf(given: PodToExplain, primed: Primed): Explanation {
  const { subject, pod, asked, namespace, config, before = [] } = given;
  const { profile, statement } = choiceOf(primed, asked ?? pod, namespace, config);
  const status = isPod(pod) ? readStatus(pod.metadata.annotations) : undefined;
  const at = (path: string) => valueAt(config.profiles[profile], path);
  const now = accountOf(primed, { profile, at, earlier: asked ? undefined : status });
  const explanation = { subject, before: [...before, ...(statement ? [statement] : [])], now };
  if (!isPod(pod)) return { ...explanation, evidence: [] };

  const { bundles = [], time = 0 } = given;
  const evidence = evidenceOf(
    pod,
    bundles.map((one) => ({ ...one, age: bundleAge(one, time) })),
  );
  if (!status) return { ...explanation, evidence };
  const done = accountOfStatus(status);
  const after = asked && isPod(primed.pod) ? primed.pod : undefined;
  return { ...explanation, done, evidence, differences: differencesOf(done, now, { before: pod, after }) };
}

/** The profile of a pod, and why that one; no statement where the pod does not come so far. */
function choiceOf({ decision }: Primed, pod: unknown, namespace: string, config: Config) {
  const comesToProfiles = decision.kind === "mutate" || decision.reason === "profile-disabled";
  if (!comesToProfiles || !isPod(pod)) return { profile: "default" };
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
  return path.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], value);
}
