import { setTimeout as sleep } from "node:timers/promises";
import { call } from "../../cluster/support/kube.ts";
import { webhookPods } from "../../cluster/support/stack.ts";

/** One sample of one replica. */
export interface Sample {
  readonly pod: string;
  /** Since the first sample. */
  readonly seconds: number;
  /** CPU time so far. */
  readonly cpu: number;
  /** Resident, 10^6 bytes. */
  readonly memory: number;
}

/** Reads the metrics of every replica twice per second. After it is stopped, it takes one more sample. */
export function sampler(): { stop(): Promise<Sample[]> } {
  const samples: Sample[] = [];
  const began = performance.now();
  const stop = new AbortController();

  async function look(): Promise<void> {
    const pods = await webhookPods();
    await Promise.all(
      pods.map(async (pod) => {
        const { body } = await call<string>("GET", `/api/v1/namespaces/arc-primer/pods/${pod}:8080/proxy/metrics`);
        const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(body)?.[1]);
        const seconds = (performance.now() - began) / 1000;
        const memory = value("process_resident_memory_bytes") / 1e6;
        samples.push({ pod, seconds, cpu: value("process_cpu_seconds_total"), memory });
      }),
    );
  }
  const looking = (async () => {
    while (!stop.signal.aborted) {
      await look();
      await sleep(500);
    }
    await look();
  })();

  return {
    async stop() {
      stop.abort();
      await looking;
      return samples;
    },
  };
}
