import { describe, expect, test } from "vitest";
import {
  allEntries,
  configText,
  configuration as parsed,
  configurationWith,
  deployment,
  forbidden,
  inRelease,
  marksOf,
  now,
  readings,
  replica,
  testCheck,
  textOf,
  webhookCall,
} from "../../../test/support/readings.ts";
import { admissionReview } from "../admission-review.ts";
import type { Release } from "../readings.ts";
import { bundles } from "./bundles.ts";
import { caches } from "./caches.ts";
import { certificate } from "./certificate.ts";
import { configuration, sameAnswers } from "./configuration.ts";
import { endpoints } from "./endpoints.ts";
import { replicas, versions } from "./replicas.ts";

const day = 86_400_000;
const missing = { missing: "not found" };

describe("endpoints", () => {
  const slice = (ready: boolean) => ({
    metadata: { name: "x" },
    endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready } }],
  });
  const empty = { metadata: { name: "x" }, endpoints: null };
  const port = (number: number) => ({
    found: { metadata: { name: "arc-primer" }, spec: { ports: [{ port: number }] } },
  });
  const byUrl = configurationWith(
    allEntries.map((one) => ({ ...one, clientConfig: { url: "https://x.example.com/mutate" } })),
  );
  testCheck(endpoints, inRelease, [
    ["two ready addresses", {}, ["✓"]],
    ["no Service", { service: missing }, ["✗ no-service"]],
    ["a different port", { service: port(8443) }, ["✗ no-port"]],
    ["no ready address", { endpoints: { found: [slice(false)] } }, ["✗ none-ready"]],
    ["an EndpointSlice without endpoints, which are null", { endpoints: { found: [empty] } }, ["✗ none-ready"]],
    ["a Service that cannot be read", { service: forbidden }, ["?"]],
    ["EndpointSlices that cannot be read", { endpoints: forbidden }, ["?"]],
    ["a URL", { webhookConfiguration: byUrl, service: undefined }, ["✓"]],
  ]);
});

describe("replicas", () => {
  const of = (status: object, spec: object = {}) => ({
    deployment: { found: { ...deployment, spec: { ...deployment.spec, ...spec }, status } },
  });
  const failed = { type: "ReplicaFailure", status: "True", message: "exceeded quota: pods" };
  testCheck(replicas, inRelease, [
    ["two of two ready", {}, ["✓"]],
    ["one of two ready", of({ readyReplicas: 1 }), ["! not-ready"]],
    ["one desired", of({ readyReplicas: 1 }, { replicas: 1 }), ["! single"]],
    ["a pod cannot be created", of({ conditions: [failed] }), ["✗ blocked"]],
    ["a Deployment that cannot be read", { deployment: forbidden }, ["?"]],
    ["no Deployment", { deployment: undefined }, []],
  ]);

  test("the reason why a pod cannot be created is reported", () => {
    expect(textOf(replicas, readings({}, of({ conditions: [failed] })))).toContain(
      "0 of 2 replicas ready: exceeded quota: pods",
    );
  });
});

describe("versions", () => {
  const pods = (...found: ReturnType<typeof replica>[]) => ({ replicas: { found } });
  test.each<[string, Partial<Release>, object, string[]]>([
    ["all the same", {}, {}, ["✓"]],
    ["a tag that was moved", pods(replica("a"), replica("b", { imageID: "sha256:two" })), {}, ["! different"]],
    [
      "a rollout in progress",
      pods(replica("a"), replica("b", { image: "arc-primer:0.0.9" })),
      {},
      ["! not-rolled-out"],
    ],
    ["another version of this command", {}, { ownVersion: "0.2.0" }, ["! other-client"]],
    ["no running replica", pods({ ...replica("a"), status: { phase: "Pending" } }), {}, ["?"]],
    ["pods that cannot be read", { replicas: forbidden }, {}, ["?"]],
  ])("%s", (_, release, changes, said) => expect(marksOf(versions, readings(changes, release))).toEqual(said));
});

describe("certificate", () => {
  const served = (changes: object) => ({
    calls: [
      webhookCall("a"),
      webhookCall("b", {
        certificate: {
          found: { distrusted: undefined, notBefore: now - 80 * day, notAfter: now + 10 * day, ...changes },
        },
      }),
    ],
  });
  testCheck(certificate, inRelease, [
    ["trusted on all replicas", {}, ["✓"]],
    ["signed by another CA", served({ distrusted: "SELF_SIGNED_CERT_IN_CHAIN" }), ["✗ untrusted"]],
    ["expired", served({ notAfter: now - 1000, distrusted: "CERT_HAS_EXPIRED" }), ["✗ expired"]],
    ["about to expire", served({ notAfter: now + day }), ["! expires-soon"]],
    ["in the middle of a short lifetime", served({ notBefore: now - 10_000, notAfter: now + 10_000 }), ["✓"]],
    ["that cannot be read", { calls: [webhookCall("a", { certificate: forbidden })] }, ["?"]],
    ["without a running replica", { calls: [] }, ["?"]],
  ]);
});

describe("configuration", () => {
  const broken = {
    name: "arc-primer",
    text: { found: "x" },
    parsed: { error: "config.yaml: 1 problem\nconfig.yaml:1 expected a map" },
  };
  const loose = { profiles: { big: { docker: { inject: true } } }, rules: [{ scaleSets: ["big"], profile: "big" }] };
  const unread = (text: Exclude<NonNullable<Release["configuration"]>["text"], { found: unknown }>) => ({
    configuration: { name: "arc-primer", text, parsed: undefined },
  });
  testCheck(configuration, inRelease, [
    ["valid", {}, ["✓"]],
    ["invalid", { configuration: broken }, ["✗ refused"]],
    ["missing", unread(missing), ["✗ missing"]],
    ["that grants privileges by a label", { configuration: parsed(configText(loose)) }, ["! warnings"]],
    ["in audit mode", { configuration: parsed(configText({ mode: "audit" })) }, ["! audit"]],
    ["that cannot be read", unread(forbidden), ["?"]],
  ]);
});

describe("same-answers", () => {
  const status = (version: string) =>
    JSON.stringify([{ op: "add", path: "/metadata/annotations", value: { status: JSON.stringify({ version }) } }]);
  const answer = (version: string) =>
    JSON.stringify({ response: { patch: Buffer.from(status(version)).toString("base64") } });
  const one = answer("0.1.0");
  const both = (a: string, b: string, expected?: string) => ({
    calls: [a, b].map((text, index) =>
      webhookCall(`${"ab"[index]}`, {
        responses: { found: [text] },
        expected: expected === undefined ? undefined : [expected],
      }),
    ),
  });
  testCheck(sameAnswers, inRelease, [
    ["the same, and as expected", both(one, one, one), ["✓"]],
    ["the same, from another version than this command", both(answer("0.2.0"), answer("0.2.0"), one), ["✓"]],
    ["the same, but not as the ConfigMap specifies", both(one, one, `${one} `), ["! not-in-force"]],
    ["different", both(one, `${one} `, one), ["✗ different"]],
    ["without permission", { calls: [webhookCall("a", { responses: forbidden })] }, ["?"]],
    [
      "from one of two",
      { calls: [webhookCall("a"), webhookCall("b", { responses: { failed: "it hung up" } })] },
      ["✓", "?"],
    ],
  ]);

  test("the review has the fields that the API server sends", () => {
    expect(admissionReview({ metadata: { name: "x" } }, "ci", { dryRun: true })).toMatchObject({
      request: { name: "x", namespace: "ci", dryRun: true },
    });
  });
});

describe("caches", () => {
  const cache = (readyReplicas: number) => ({
    caches: { found: [{ metadata: { name: "cache" }, spec: { replicas: 1 }, status: { readyReplicas } }] },
  });
  testCheck(caches, inRelease, [
    ["none", {}, []],
    ["a ready cache", cache(1), ["✓"]],
    ["a cache that is not ready", cache(0), ["! not-ready"]],
    ["caches that cannot be read", { caches: forbidden }, ["?"]],
  ]);
});

describe("bundles", () => {
  const servers = (readyReplicas: number) => ({
    bundleServers: { found: [{ metadata: { name: "one" }, spec: { replicas: 1 }, status: { readyReplicas } }] },
  });
  testCheck(bundles, inRelease, [
    ["none", {}, []],
    ["a ready bundle server", servers(1), ["✓"]],
    ["a bundle server that is not ready", servers(0), ["! not-ready"]],
    ["servers that cannot be read", { bundleServers: forbidden }, ["?"]],
  ]);
});
