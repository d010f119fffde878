import type { Config, Profile } from "../config/schema.ts";
import type { Primed } from "../report/decision.ts";
import { withStatus } from "../report/status.ts";
import { decide } from "./decide.ts";
import type { Mutation, PodContext } from "./mutation.ts";
import { configureMutations, runMutations } from "./run.ts";
import type { ConfiguredMutation } from "./run.ts";

/** The inputs for priming a pod, besides the pod itself. */
export interface PrimeContext extends PodContext {
  /** The namespace of the request, because the pod's own field may still be empty. */
  readonly namespace: string;
  /** The configuration in effect. */
  readonly config: Config;
}

/**
 * Decides about a pod and primes it.
 *
 * @param object a pod as parsed, unvalidated JSON. It is not modified
 */
export type Prime = (object: unknown, context: PrimeContext) => Primed;

/**
 * Creates the engine that `serve`, `render` and `demo` share. It decides, applies the mutations and writes the status
 * annotation.
 *
 * @param parts.mutations the mutations, in the order in which they are applied
 * @param parts.version the version of arc-primer, for the status
 */
export function createPrime(parts: { readonly mutations: readonly Mutation[]; readonly version: string }): Prime {
  const { mutations, version } = parts;
  const configured = new WeakMap<Profile, ConfiguredMutation[]>(); // computed once per profile

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
