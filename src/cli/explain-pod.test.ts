import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { goldenPod, goldenPodSecurity } from "../../test/support/pods.ts";
import { parseConfig } from "../config/load.ts";
import type { Account, Statement } from "../report/account.ts";
import { explanationText } from "../report/explanation-text.ts";
import { explainPod } from "./explain-pod.ts";

const golden = new URL("../../test/golden/", import.meta.url);

function explainGolden(name: string, pod: unknown = goldenPod(name)) {
  const config = parseConfig(readFileSync(new URL(`${name}/config.yaml`, golden), "utf8"), "config.yaml");
  const namespace = goldenPod(name).metadata.namespace ?? "default";
  return explainPod({ subject: `Pod ${name}`, pod, namespace, podSecurity: goldenPodSecurity(name), config });
}

const statements = ({ general, applied, skipped, notConfigured }: Account): Statement[] => [
  ...general,
  ...[...applied, ...skipped, ...notConfigured].flatMap(({ said }) => said),
];

test.each(readdirSync(golden))("%s: every sentence names the setting that decides", (name) => {
  const { explanation, primed } = explainGolden(name);
  const allStatements = [...explanation.before, ...statements(explanation.now)];
  expect(allStatements.filter(({ setting }) => !setting || setting.where === "mutation" || !setting.name)).toEqual([]);
  expect(allStatements.length).toBeGreaterThan(0);
  expect(explanationText(explanation)).not.toMatch(/undefined|\[object|^.{121}/m);

  // For the primed pod, the explanation reports the same mutations as done, and no differences.
  if (primed.pod === goldenPod(name)) return;
  const again = explainGolden(name, primed.pod).explanation;
  const names = (account: Account | undefined) => account?.applied.map(({ mutation }) => mutation).toSorted();
  const isUnchanged = explanation.now.profile === undefined || primed.mode === "audit";
  expect(isUnchanged ? [] : names(again.done)).toEqual(isUnchanged ? [] : names(explanation.now));
  expect(again.differences ?? []).toEqual([]);
});
