import { describe, expect, test } from "vitest";
import {
  allEntries,
  deployment,
  entry,
  inject,
  mayNot,
  now,
  readings,
  registered,
  says,
  words,
} from "../../../test/support/readings.ts";
import { certificate } from "../../../test/support/webhook.ts";
import type { Webhook } from "../objects.ts";
import { caBundle } from "./ca-bundle.ts";
import { otherWebhooks } from "./other-webhooks.ts";
import { entries, failurePolicy, registration } from "./registration.ts";

const withEntries = (webhooks: readonly Webhook[]) => readings({}, { registration: registered(webhooks) });
const [privileged, baseline, restricted] = allEntries as [Webhook, Webhook, Webhook];
const none = { release: undefined };

describe("registration", () => {
  test.each<[string, object, string[]]>([
    ["one configuration", {}, ["✓"]],
    ["no configuration", { mutating: { found: [] } }, ["✗ missing"]],
    [
      "only a configuration of another webhook",
      { mutating: { found: [registered([{ name: "x.example.com" }])] } },
      ["✗ missing"],
    ],
    ["two configurations", { mutating: { found: [registered(allEntries), registered(allEntries)] } }, ["! several"]],
    ["without permission to read them", { mutating: mayNot }, ["?"]],
  ])("%s", (_, changes, said) => expect(says(registration, readings(changes))).toEqual(said));
});

describe("entries", () => {
  test.each<[string, readonly Webhook[], string[]]>([
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
  ])("%s", (_, webhooks, said) => expect(says(entries, withEntries(webhooks))).toEqual(said));

  test("the levels without an entry are named", () => {
    expect(words(entries, withEntries([privileged]))).toContain(
      "no entry for namespaces that enforce baseline and restricted",
    );
  });

  test("nothing is reported without a webhook configuration", () => expect(says(entries, readings(none))).toEqual([]));
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
    expect(says(failurePolicy, readings({}, { registration: registered(webhooks), ...more }))).toEqual(said);
  });
});

describe("ca-bundle", () => {
  const trusting = (text: string, level: "privileged" | "baseline" = "privileged") =>
    entry(level, { clientConfig: { caBundle: Buffer.from(text).toString("base64") } });
  const expiring = async (to: number) => {
    const { cert } = await certificate({ to: (now - Date.now()) / 3_600_000 + to });
    return cert;
  };

  test("valid", () => expect(says(caBundle, readings())).toEqual(["✓"]));

  test("empty, unreadable, or different", () => {
    expect(says(caBundle, withEntries([trusting("")]))).toEqual(["! empty"]);
    expect(says(caBundle, withEntries([trusting("-----BEGIN CERTIFICATE-----\nx")]))).toEqual(["✗ unreadable"]);
    expect(says(caBundle, withEntries([trusting("nonsense")]))).toEqual(["✗ unreadable"]);
    expect(says(caBundle, withEntries([trusting(""), trusting("x", "baseline")]))).toEqual(["! different"]);
  });

  test("expired or about to expire, by the last of its certificates", async () => {
    const [past, soon, late] = [await expiring(-1), await expiring(48), await expiring(24 * 365)];
    expect(says(caBundle, withEntries([trusting(past)]))).toEqual(["✗ expired"]);
    expect(says(caBundle, withEntries([trusting(past + soon)]))).toEqual(["! expires-soon"]);
    expect(says(caBundle, withEntries([trusting(soon + late)]))).toEqual(["✓"]);
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
    expect(words(otherWebhooks, readings())).toBe("no other webhook receives runner pods");
    expect(words(otherWebhooks, withGate({}, 2))).toBe(
      "other webhooks receive runner pods, and none of them is down: gate.example.com (Fail)",
    );
  });

  test("a webhook that is down is a problem if it receives runner pods and its failurePolicy is Fail", () => {
    expect(says(otherWebhooks, withGate({}, 0))).toEqual(["✗ down"]);
    expect(says(otherWebhooks, withGate({ failurePolicy: "Ignore" }, 0))).toEqual(["✓"]);
    expect(says(otherWebhooks, withGate({ namespaceSelector: { matchLabels: inject } }, 0))).toEqual(["✗ down"]);
    expect(says(otherWebhooks, withGate({ namespaceSelector: { matchLabels: { team: "web" } } }, 0))).toEqual(["✓"]);
    expect(says(otherWebhooks, withGate({ objectSelector: { matchLabels: { app: "web" } } }, 0))).toEqual(["✓"]);
  });

  test("webhook configurations that cannot be read", () => {
    expect(says(otherWebhooks, readings({ validating: mayNot }))).toEqual(["?"]);
  });
});
