import type { Config } from "../config/schema.ts";
import type { Mutation, Surroundings } from "./mutation.ts";
import { runMutations } from "./run.ts";
import type { Outcome } from "./run.ts";
import { decide } from "./decide.ts";
import type { Decision } from "./decide.ts";
import { withStatus } from "../report/status.ts";

/** Everything that is known after a pod has been looked at. */
export interface Primed {
  readonly decision: Decision;
  readonly mode: Config["mode"];
  /** What became of each mutation, or in audit mode would have; empty where the pod was skipped. */
  readonly outcomes: readonly Outcome[];
  /** The pod as it is to be: the very object that came in where nothing is to change. */
  readonly pod: unknown;
  /** Whether the status found room in the pod's annotations. */
  readonly statusLeftOut: boolean;
}

/**
 * The one engine below `serve` and `render`: decides, applies the mutations, writes the status annotation.
 *
 * @param object a pod as parsed JSON; it is not changed
 * @param context the request's namespace and what Pod Security it enforces, the configuration in force, the mutations, arc-primer's version
 */
export function prime(
  object: unknown,
  context: Surroundings & { namespace: string; config: Config; mutations: readonly Mutation[]; version: string },
): Primed {
  const { config, namespace, mutations, version } = context;
  const decision = decide(object, namespace, config);
  if (decision.kind === "skip") return { decision, mode: config.mode, outcomes: [], pod: object, statusLeftOut: false };

  const { pod, outcomes } = runMutations(mutations, decision.pod, decision.profile, context);
  if (config.mode === "audit") return { decision, mode: "audit", outcomes, pod: object, statusLeftOut: false };
  const reported = withStatus(pod, { version, profile: decision.profile.name, problem: decision.problem, outcomes });
  return { decision, mode: "enforce", outcomes, pod: reported ?? pod, statusLeftOut: reported === undefined };
}
