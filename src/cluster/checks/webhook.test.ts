import { describe, expect, test } from "vitest";
import {
  allEntries,
  configurationWith,
  deployment,
  entry,
  forbidden,
  inject,
  marksOf,
  now,
  readings,
  testCheck,
  textOf,
} from "../../../test/support/readings.ts";
import { certificate } from "../../../test/support/webhook.ts";
import type { Webhook } from "../objects.ts";
import { caBundle } from "./ca-bundle.ts";
import { otherWebhooks } from "./other-webhooks.ts";
import { entries, failurePolicy, webhookConfiguration } from "./webhook-configuration.ts";

const withEntries = (webhooks: readonly Webhook[]) =>
  readings({}, { webhookConfiguration: configurationWith(webhooks) });
const [privileged, baseline, restricted] = allEntries as [Webhook, Webhook, Webhook];
const none = { release: undefined };

describe("registration", () => {
  testCheck(webhookConfiguration, readings, [
    ["one configuration", {}, ["✓"]],
    ["no configuration", { mutating: { found: [] } }, ["✗ missing"]],
    [
      "only a configuration of another webhook",
      { mutating: { found: [configurationWith([{ name: "x.example.com" }])] } },
      ["✗ missing"],
    ],
    [
      "two configurations",
      { mutating: { found: [configurationWith(allEntries), configurationWith(allEntries)] } },
      ["! several"],
    ],
    ["without permission to read them", { mutating: forbidden }, ["?"]],
  ]);
});

describe("entries", () => {
  testCheck(entries, withEntries, [
    ["the chart's entries", allEntries, ["✓"]],
    ["one entry missing", [privileged, baseline], ["✗ missing"]],
    [
      "one entry with a wrong path",
      [privileged, baseline, { ...restricted, clientConfig: baseline.clientConfig! }],
      ["✗ missing"],
    ],
    ["one entry without CREATE of pods", [{ ...privileged, rules: [] }, baseline, restricted], ["✗ no-pods"]],
    [
      "one entry for other pods",
      [{ ...privileged, objectSelector: { matchLabels: { a: "b" } } }, baseline, restricted],
      ["✗ no-pods"],
    ],
    ["one entry for all pods", [{ ...privileged, objectSelector: {} }, baseline, restricted], ["! too-many"]],
    ["one entry for all namespaces", [{ ...privileged, namespaceSelector: {} }, baseline, restricted], ["! too-many"]],
  ]);

  test("the levels without an entry are named", () => {
    expect(textOf(entries, withEntries([privileged]))).toContain(
      "no entry for namespaces that enforce baseline and restricted",
    );
  });

  test("nothing is reported without a webhook configuration", () =>
    expect(marksOf(entries, readings(none))).toEqual([]));
});

describe("failure-policy", () => {
  const fail = allEntries.map((one) => ({ ...one, failurePolicy: "Fail" }));
  const one = { deployment: { found: { ...deployment, status: { readyReplicas: 1 } } } };
  test.each<[string, readonly Webhook[], object, string[]]>([
    ["Ignore with one replica", allEntries, one, ["✓"]],
    ["Fail with two replicas", fail, {}, ["✓"]],
    ["Fail with one replica", fail, one, ["! fail"]],
    ["both policies", [fail[0]!, baseline, restricted], {}, ["! mixed"]],
    ["a long timeout", [{ ...privileged, timeoutSeconds: 30 }, baseline, restricted], {}, ["! time-out"]],
  ])("%s", (_, webhooks, more, said) => {
    expect(
      marksOf(failurePolicy, readings({}, { webhookConfiguration: configurationWith(webhooks), ...more })),
    ).toEqual(said);
  });
});

describe("ca-bundle", () => {
  const trusting = (text: string, level: "privileged" | "baseline" = "privileged") =>
    entry(level, { clientConfig: { caBundle: Buffer.from(text).toString("base64") } });
  const expiring = async (to: number) => {
    const { cert } = await certificate({ to: (now - Date.now()) / 3_600_000 + to });
    return cert;
  };

  test("valid", () => expect(marksOf(caBundle, readings())).toEqual(["✓"]));

  test("empty, unreadable, or different", () => {
    expect(marksOf(caBundle, withEntries([trusting("")]))).toEqual(["! empty"]);
    expect(marksOf(caBundle, withEntries([trusting("-----BEGIN CERTIFICATE-----\nx")]))).toEqual(["✗ unreadable"]);
    expect(marksOf(caBundle, withEntries([trusting("nonsense")]))).toEqual(["✗ unreadable"]);
    expect(marksOf(caBundle, withEntries([trusting(""), trusting("x", "baseline")]))).toEqual(["! different"]);
  });

  test("expired or about to expire, by the last of its certificates", async () => {
    const [past, soon, late] = [await expiring(-1), await expiring(48), await expiring(24 * 365)];
    expect(marksOf(caBundle, withEntries([trusting(past)]))).toEqual(["✗ expired"]);
    expect(marksOf(caBundle, withEntries([trusting(past + soon)]))).toEqual(["! expires-soon"]);
    expect(marksOf(caBundle, withEntries([trusting(soon + late)]))).toEqual(["✓"]);
  });
});

describe("other-webhooks", () => {
  const gate = {
    name: "gate.example.com",
    rules: [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"] }],
    clientConfig: { service: { namespace: "gate", name: "gate" } },
  };
  const withGate = (changes: object, ready: number) =>
    readings({
      validating: { found: [{ metadata: { name: "gate" }, webhooks: [{ ...gate, ...changes }] }] },
      backends: { "gate/gate": { found: ready } },
    });

  test("no other webhook, or one that is up", () => {
    expect(textOf(otherWebhooks, readings())).toBe("no other webhook receives runner pods");
    expect(textOf(otherWebhooks, withGate({}, 2))).toBe(
      "other webhooks receive runner pods, and none of them is down: gate.example.com (Fail)",
    );
  });

  test("a webhook that is down is a problem if it receives runner pods and its failurePolicy is Fail", () => {
    expect(marksOf(otherWebhooks, withGate({}, 0))).toEqual(["✗ down"]);
    expect(marksOf(otherWebhooks, withGate({ failurePolicy: "Ignore" }, 0))).toEqual(["✓"]);
    expect(marksOf(otherWebhooks, withGate({ namespaceSelector: { matchLabels: inject } }, 0))).toEqual(["✗ down"]);
    expect(marksOf(otherWebhooks, withGate({ namespaceSelector: { matchLabels: { team: "web" } } }, 0))).toEqual(["✓"]);
    expect(marksOf(otherWebhooks, withGate({ objectSelector: { matchLabels: { app: "web" } } }, 0))).toEqual(["✓"]);
  });

  test("webhook configurations that cannot be read", () => {
    expect(marksOf(otherWebhooks, readings({ validating: forbidden }))).toEqual(["?"]);
  });
});
