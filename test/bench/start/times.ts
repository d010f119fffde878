import { call } from "../../cluster/support/kube.ts";
import type { RunnerPod } from "../../cluster/support/runner-pod.ts";

/** A part of a pod's start, in seconds since the pod was requested. */
export interface Stretch {
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

/** One pod's start, in seconds. */
export interface Start {
  readonly kind: string;
  /** From the request that creates the pod to the first line of run.sh. */
  readonly total: number;
  /** From the time when dockerd listens to that line. Negative if the line came first, NaN if there is no dockerd. */
  readonly afterDocker: number;
  /** From the time when both dockerd and the runner container were ready to that line. */
  readonly afterBoth: number;
  readonly line: readonly Stretch[];
}

interface Line {
  /** Seconds since the pod was requested. */
  readonly at: number;
  readonly text: string;
}

/** A container's log, with the container runtime's timestamp of each line in nanoseconds. */
async function linesOf({ metadata }: RunnerPod, container: string, asked: number): Promise<Line[]> {
  const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/log?container=${container}&timestamps=true`;
  const { status, body } = await call<string>("GET", path);
  if (status !== 200) return []; // the pod has no such container
  return body.split("\n").flatMap((line) => {
    const [, second = "", fraction = "", text = ""] = /^(\S+?)(\.\d+)?Z (.*)$/.exec(line) ?? [];
    return second ? [{ at: Date.parse(`${second}Z`) / 1000 + Number(fraction || 0) - asked, text }] : [];
  });
}

/**
 * Reads the times of a pod's start from its logs.
 *
 * @param asked when the pod was requested, in seconds since 1970, by the clock of the node
 */
export async function startOf(kind: string, pod: RunnerPod, asked: number): Promise<Start> {
  const [dind, packages, runner] = await Promise.all(
    ["dind", "arc-primer-prerequisites", "runner"].map(async (name) => linesOf(pod, name, asked)),
  );
  const find = (lines: readonly Line[] = [], pattern: RegExp) => lines.find(({ text }) => pattern.test(text));
  const job = find(runner, /^run\.sh$/)?.at ?? Number.NaN;
  const docker = find(dind, /API listen on/)?.at ?? Number.NaN;
  const booting = dind?.[0]?.at ?? Number.NaN;

  // A wrapper says at its end how long it took, so its start is known to a hundredth of a second.
  const took = (pattern: RegExp): Stretch[] =>
    (runner ?? []).flatMap(({ at, text }) => {
      const [, what = "", seconds] = pattern.exec(text) ?? [];
      return seconds ? [{ what, from: at - Number(seconds), to: at }] : [];
    });
  const wrappers = [
    ...took(/^arc-primer: (packages) installed in (\d+\.\d+) s/).map((one) => ({
      ...one,
      what: "packages put in place",
    })),
    ...took(/^arc-primer: (ready) to start after (\d+\.\d+) s/).map((one) => ({ ...one, what: "wait for Docker" })),
  ];
  const loop = find(runner, /^loop: waiting$/);
  const waits = loop ? [{ what: "wait for Docker", from: loop.at, to: job }] : wrappers;
  const up = Math.min(job, ...waits.map(({ from }) => from));
  const installed = packages?.at(-1)?.at;
  if (dind?.length === 0) return { kind, total: job, afterDocker: Number.NaN, afterBoth: Number.NaN, line: [] };
  return {
    kind,
    total: job,
    afterDocker: job - docker,
    afterBoth: job - Math.max(docker, up),
    line: [
      { what: "until dockerd is started", from: 0, to: booting },
      { what: "dockerd boots", from: booting, to: docker },
      ...(installed === undefined ? [] : [{ what: "packages installed", from: packages![0]!.at, to: installed }]),
      ...(loop || wrappers.length > 0 ? waits : [{ what: "until the kubelet looks", from: docker, to: job }]),
    ],
  };
}
