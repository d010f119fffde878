import type { Config, Profile } from "../config/schema.ts";
import type { Primed } from "../report/decision.ts";
import { withStatus } from "../report/status.ts";
import { decide } from "./decide.ts";
import type { Mutation, PodContext } from "./mutation.ts";
import { configureMutations, runMutations } from "./run.ts";
import type { ConfiguredMutation } from "./run.ts";

/** What a pod is primed by, besides the pod itself. */
export interface PrimeContext extends PodContext {
  /** The namespace of the request: the pod's own field may still be empty. */
  readonly namespace: string;
  /** The configuration in force. */
  readonly config: Config;
}

/**
 * Decides about a pod and primes it.
 *
 * @param object a pod as parsed JSON; nothing is assumed about it, and it is not changed
 */
export type Prime = (object: unknown, context: PrimeContext) => Primed;

/**
 * Makes the one engine below `serve`, `render` and `demo`: it decides, applies the mutations and writes the status
 * annotation.
 *
 * @param parts.mutations in the order in which they are applied
 * @param parts.version arc-primer's, for the status
 */
export function createPrime(parts: { readonly mutations: readonly Mutation[]; readonly version: string }): Prime {
  const { mutations, version } = parts;
  const configured = new WeakMap<Profile, ConfiguredMutation[]>(); // once a profile, for as long as it is in force

  function mutationsFor(profile: Profile): ConfiguredMutation[] {
    const ready = configured.get(profile) ?? configureMutations(mutations, profile);
    configured.set(profile, ready);
    return ready;
  }

  return (object, context) => {
    const { mode } = context.config;
    const decided = decide(object, context.namespace, context.config);
    const { decision } = decided;
    if (!("pod" in decided)) return { decision, mode, outcomes: [], pod: object, statusLeftOut: false };

    const { pod, outcomes } = runMutations(mutationsFor(decided.profile), decided.pod, context);
    if (mode === "audit") return { decision, mode, outcomes, pod: object, statusLeftOut: false };
    const { profile, problem } = decided.decision;
    const finished = withStatus(pod, { version, profile, problem, outcomes });
    return { decision, mode, outcomes, pod: finished ?? pod, statusLeftOut: finished === undefined };
  };
}
