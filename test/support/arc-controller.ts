// Models what ARC does with a runner pod: the decisions of its EphemeralRunner controller (0.14.2,
// ephemeralrunner_controller.go), applied to a pod's status. Tests use it to predict what happens to a pod that terminates,
// fails or hangs.

interface ContainerState {
  readonly waiting?: object;
  readonly running?: object;
  readonly terminated?: { readonly exitCode: number };
}

interface ContainerStatus {
  readonly name: string;
  readonly state?: ContainerState;
}

/** The part of a pod's status that ARC uses. */
export interface PodStatus {
  readonly phase?: string | undefined;
  readonly initContainerStatuses?: readonly ContainerStatus[] | undefined;
  readonly containerStatuses?: readonly ContainerStatus[] | undefined;
}

/** What ARC does next. */
export type Reaction =
  /** There is no status of the runner container yet. */
  | { readonly does: "wait" }
  /** Neither terminated nor failed: it counts as running, even if it hangs. */
  | { readonly does: "count as running" }
  /** The pod is deleted at once, with its logs. The next one is created after this number of seconds. */
  | { readonly does: "delete the pod"; readonly nextAfterSeconds: number }
  /** The EphemeralRunner is deleted, and its pod with it. */
  | {
      readonly does: "delete the runner";
      readonly because: "it has succeeded" | "it failed with a job" | "it failed too often" | "of the quota";
    }
  /** The EphemeralRunner is kept in this state permanently. */
  | { readonly does: "mark the runner"; readonly as: "Failed" | "Outdated" }
  /** The creation of the pod is retried. */
  | { readonly does: "try again"; readonly afterSeconds?: number };

const runnerName = "runner";
/** The exit code of a runner whose version is too old. */
const outdated = 7;
/** ARC's back-off in seconds, by number of failures. After more failures it starts over with a new EphemeralRunner. */
const backOff = [0, 5, 10, 20, 40, 80];

/** One EphemeralRunner in ARC. Its reactions also depend on the earlier statuses. */
export class ArcController {
  readonly #hasJob: boolean;
  readonly #ageSeconds: number;
  #failures = 0;

  /** @param runner whether GitHub has assigned a job to the runner, and its age */
  constructor(runner: { hasJob?: boolean; ageSeconds?: number } = {}) {
    this.#hasJob = runner.hasJob ?? false;
    this.#ageSeconds = runner.ageSeconds ?? 0;
  }

  /** The reaction to the API server's response to the creation of the pod. */
  created(answer: { status: number; message?: string }): Reaction {
    const { status, message = "" } = answer;
    if (status < 300) return { does: "wait" };
    if (status === 422) return { does: "mark the runner", as: "Failed" };
    if (status === 403) {
      if (!message.includes("exceeded quota:")) return { does: "mark the runner", as: "Failed" };
      return this.#ageSeconds > 600
        ? { does: "delete the runner", because: "of the quota" }
        : { does: "try again", afterSeconds: 30 };
    }
    return { does: "try again" };
  }

  /** The reaction to this status of the pod. */
  sees({ phase, initContainerStatuses = [], containerStatuses = [] }: PodStatus): Reaction {
    const runner = containerStatuses.find(({ name }) => name === runnerName);
    const code = runner?.state?.terminated?.exitCode;
    if (phase === "Failed") {
      if (code === 0) return { does: "delete the runner", because: "it has succeeded" };
      if (code === outdated) return { does: "mark the runner", as: "Outdated" };
      return this.#failed();
    }
    // These include native sidecars, and they are checked before the runner container.
    if (initContainerStatuses.some(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0)) return this.#failed();
    if (!runner) return { does: "wait" };
    if (code === undefined) return { does: "count as running" };
    if (code === outdated) return { does: "mark the runner", as: "Outdated" };
    return code === 0 ? { does: "delete the runner", because: "it has succeeded" } : this.#failed();
  }

  #failed(): Reaction {
    if (this.#hasJob) return { does: "delete the runner", because: "it failed with a job" };
    this.#failures += 1;
    const nextAfterSeconds = backOff[this.#failures];
    return nextAfterSeconds === undefined
      ? { does: "delete the runner", because: "it failed too often" }
      : { does: "delete the pod", nextAfterSeconds };
  }
}

const isFinal = (reaction: Reaction) => reaction.does !== "wait" && reaction.does !== "count as running";

/**
 * ARC's reactions to a sequence of statuses of one pod, up to the final one. Consecutive equal reactions are listed once.
 */
export function replay(statuses: readonly PodStatus[], runner: ArcController = new ArcController()): Reaction[] {
  const reactions: Reaction[] = [];
  for (const status of statuses) {
    const reaction = runner.sees(status);
    if (reactions.at(-1)?.does !== reaction.does) reactions.push(reaction);
    if (isFinal(reaction)) break;
  }
  return reactions;
}
