import { call } from "../../cluster/support/kube.ts";

/** The number of webhook calls in a bucket: they took at most `to` seconds, and longer than those in the previous bucket. */
export interface Bucket {
  readonly to: string;
  readonly count: number;
}

async function lines(metric: string): Promise<string[]> {
  const { status, body } = await call<string>("GET", "/metrics");
  if (status !== 200) throw new Error(`the API server's metrics: ${status}`);
  return body.split("\n").filter((line) => line.startsWith(metric) && line.includes('name="runners.arc-primer.dev"'));
}

/** The API server's current histogram of the webhook's latency. Empty before the first call. */
export async function bucketsOf(): Promise<Bucket[]> {
  const found = (await lines("apiserver_admission_webhook_admission_duration_seconds_bucket"))
    .filter((line) => line.includes('operation="CREATE"') && line.includes('type="admit"'))
    .map((line) => ({ to: /le="([^"]+)"/.exec(line)?.[1] ?? "", total: Number(line.split(" ").at(-1)) }));
  return found.map(({ to, total }, index) => ({ to, count: total - (found[index - 1]?.total ?? 0) }));
}

/** How often the API server continued without the webhook, because the call failed. */
export async function failedOpen(): Promise<number> {
  const found = await lines("apiserver_admission_webhook_fail_open_count");
  return found.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
