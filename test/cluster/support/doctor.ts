import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Line } from "../../../src/cluster/checks/check.ts";
import { call, until } from "./kube.ts";

const bundle = fileURLToPath(new URL("../../../dist/arc-primer.mjs", import.meta.url));

export interface Doctor {
  readonly status: number;
  readonly lines: readonly Line[];
  readonly stderr: string;
  /** The codes of all problems: `check/problem`. */
  readonly problems: readonly string[];
}

/** Runs `doctor -o json` of the built program, on the cluster in KUBECONFIG unless the arguments select another one. */
export async function doctor(...args: string[]): Promise<Doctor> {
  return new Promise((resolve) => {
    const command = [bundle, "doctor", "-o", "json", ...args];
    const child = execFile(process.execPath, command, { maxBuffer: 16 * 1024 * 1024 }, (_error, stdout, stderr) => {
      const lines = stdout ? (JSON.parse(stdout) as { checks: Line[] }).checks : [];
      const problems = lines.flatMap(({ check, problem }) => (problem === undefined ? [] : [`${check}/${problem}`]));
      resolve({ status: child.exitCode ?? -1, lines, stderr, problems });
    });
  });
}

/**
 * Runs doctor until it reports this problem, with exit code 1 if the problem is a ✗. It polls because changes in the cluster may
 * take a moment.
 */
export async function waitForProblem(code: string): Promise<Line> {
  return until(`${code} in the output of doctor`, 45, async () => {
    const { status, lines, problems, stderr } = await doctor();
    const found = lines.find(({ check, problem }) => `${check}/${problem}` === code);
    if (!found) throw new Error(`it reported ${JSON.stringify(problems)}${stderr}`);
    if (found.status === "fail" && status !== 1) throw new Error(`the exit code is ${status}`);
    return found;
  });
}

/** Runs doctor until all results of this check are ✓. */
export async function waitForOk(name: string): Promise<void> {
  await until(`✓ for ${name}`, 45, async () => {
    const { lines } = await doctor();
    const notOk = lines.filter(({ check, status }) => check === name && status !== "ok");
    if (notOk.length > 0) throw new Error(JSON.stringify(notOk));
    return true;
  });
}

/** Removes what other test files may have left behind: the webhook configuration and the namespace labels. */
export async function removeLeftovers(): Promise<void> {
  await call("DELETE", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/arc-primer");
  const { body } = await call<{ items: { metadata: { name: string } }[] }>(
    "GET",
    "/api/v1/namespaces?labelSelector=arc-primer.dev/inject",
  );
  for (const { metadata } of body.items) {
    const labels = { "arc-primer.dev/inject": null };
    await call(
      "PATCH",
      `/api/v1/namespaces/${metadata.name}`,
      { metadata: { labels } },
      "application/merge-patch+json",
    );
  }
}
