import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Line } from "../../../src/cluster/checks/check.ts";
import { call, until } from "./kube.ts";

const bundle = fileURLToPath(new URL("../../../dist/arc-primer.mjs", import.meta.url));

export interface Doctor {
  readonly status: number;
  readonly lines: readonly Line[];
  readonly stderr: string;
  /** The codes of all that is not in order: `check/problem`. */
  readonly problems: readonly string[];
}

/** The real bundle's `doctor -o json`, on the cluster of KUBECONFIG unless the arguments name another. */
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
 * Runs doctor until it says this problem, and, if the problem is a ✗, ends with exit code 1. What was changed in the cluster
 * may take a moment to be in force.
 */
export async function sees(code: string): Promise<Line> {
  return until(`${code} of doctor`, 45, async () => {
    const { status, lines, problems, stderr } = await doctor();
    const found = lines.find(({ check, problem }) => `${check}/${problem}` === code);
    if (!found) throw new Error(`it says ${JSON.stringify(problems)}${stderr}`);
    if (found.status === "fail" && status !== 1) throw new Error(`the exit code is ${status}`);
    return found;
  });
}

/** Runs doctor until this check has nothing but ✓. */
export async function isFine(name: string): Promise<void> {
  await until(`a ✓ of ${name}`, 45, async () => {
    const { lines } = await doctor();
    const odd = lines.filter(({ check, status }) => check === name && status !== "ok");
    if (odd.length > 0) throw new Error(JSON.stringify(odd));
    return true;
  });
}

/** Takes away what other test files have left and doctor would see: registrations, and the label of namespaces. */
export async function clearTheStage(): Promise<void> {
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
