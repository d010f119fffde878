import { describe, expect, test } from "vitest";
import {
  allEntries,
  configuration as parsed,
  conversation,
  deployment,
  headed,
  mayNot,
  now,
  readings,
  registered,
  replica,
  says,
  words,
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
const missing = { missing: "it is not there" };

describe("endpoints", () => {
  const slice = (ready: boolean) => ({
    metadata: { name: "x" },
    endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready } }],
  });
  const empty = { metadata: { name: "x" }, endpoints: null };
  const port = (number: number) => ({
    found: { metadata: { name: "arc-primer" }, spec: { ports: [{ port: number }] } },
  });
  const byUrl = registered(
    allEntries.map((one) => ({ ...one, clientConfig: { url: "https://x.example.com/mutate" } })),
  );
  test.each<[string, Partial<Release>, string[]]>([
    ["two ready", {}, ["✓"]],
    ["no Service", { service: missing }, ["✗ no-service"]],
    ["another port", { service: port(8443) }, ["✗ no-port"]],
    ["none ready", { endpoints: { found: [slice(false)] } }, ["✗ none-ready"]],
    ["a slice without any, as the API server has it", { endpoints: { found: [empty] } }, ["✗ none-ready"]],
    ["a Service that may not be read", { service: mayNot }, ["?"]],
    ["EndpointSlices that may not be read", { endpoints: mayNot }, ["?"]],
    ["a URL", { registration: byUrl, service: undefined }, ["✓"]],
  ])("%s", (_, release, said) => expect(says(endpoints, readings({}, release))).toEqual(said));
});

describe("replicas", () => {
  const of = (status: object, spec: object = {}) => ({
    deployment: { found: { ...deployment, spec: { ...deployment.spec, ...spec }, status } },
  });
  const failed = { type: "ReplicaFailure", status: "True", message: "exceeded quota: pods" };
  test.each<[string, Partial<Release>, string[]]>([
    ["two of two", {}, ["✓"]],
    ["one of two", of({ readyReplicas: 1 }), ["! not-ready"]],
    ["one wanted", of({ readyReplicas: 1 }, { replicas: 1 }), ["! single"]],
    ["none can be created", of({ conditions: [failed] }), ["✗ blocked"]],
    ["a Deployment that may not be read", { deployment: mayNot }, ["?"]],
    ["no Deployment", { deployment: undefined }, []],
  ])("%s", (_, release, said) => expect(says(replicas, readings({}, release))).toEqual(said));

  test("why none can be created is said", () => {
    expect(words(replicas, readings({}, of({ conditions: [failed] })))).toContain(
      "0 of 2 replicas ready: exceeded quota: pods",
    );
  });
});

describe("versions", () => {
  const pods = (...found: ReturnType<typeof replica>[]) => ({ replicas: { found } });
  test.each<[string, Partial<Release>, object, string[]]>([
    ["all alike", {}, {}, ["✓"]],
    ["a tag that was moved", pods(replica("a"), replica("b", { imageID: "sha256:two" })), {}, ["! different"]],
    [
      "a rollout that is under way",
      pods(replica("a"), replica("b", { image: "arc-primer:0.0.9" })),
      {},
      ["! not-rolled-out"],
    ],
    ["another version of this command", {}, { ownVersion: "0.2.0" }, ["! other-client"]],
    ["none that runs", pods({ ...replica("a"), status: { phase: "Pending" } }), {}, ["?"]],
    ["pods that may not be read", { replicas: mayNot }, {}, ["?"]],
  ])("%s", (_, release, changes, said) => expect(says(versions, readings(changes, release))).toEqual(said));
});

describe("certificate", () => {
  const served = (changes: object) => ({
    conversations: [
      conversation("a"),
      conversation("b", {
        certificate: {
          found: { distrusted: undefined, notBefore: now - 80 * day, notAfter: now + 10 * day, ...changes },
        },
      }),
    ],
  });
  test.each<[string, Partial<Release>, string[]]>([
    ["trusted by all", {}, ["✓"]],
    ["of another CA", served({ distrusted: "SELF_SIGNED_CERT_IN_CHAIN" }), ["✗ untrusted"]],
    ["expired", served({ notAfter: now - 1000, distrusted: "CERT_HAS_EXPIRED" }), ["✗ expired"]],
    ["about to expire", served({ notAfter: now + day }), ["! expires-soon"]],
    ["one of a short life, in the middle of it", served({ notBefore: now - 10_000, notAfter: now + 10_000 }), ["✓"]],
    ["that may not be looked at", { conversations: [conversation("a", { certificate: mayNot })] }, ["?"]],
    ["of nobody", { conversations: [] }, ["?"]],
  ])("%s", (_, release, said) => expect(says(certificate, readings({}, release))).toEqual(said));
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
  test.each<[string, Partial<Release>, string[]]>([
    ["read", {}, ["✓"]],
    ["refused", { configuration: broken }, ["✗ refused"]],
    ["not there", unread(missing), ["✗ missing"]],
    ["that gives rights by a label", { configuration: parsed(headed(loose)) }, ["! warnings"]],
    ["in mode audit", { configuration: parsed(headed({ mode: "audit" })) }, ["! audit"]],
    ["that may not be read", unread(mayNot), ["?"]],
  ])("%s", (_, release, said) => expect(says(configuration, readings({}, release))).toEqual(said));
});

describe("same-answers", () => {
  const status = (version: string) =>
    JSON.stringify([{ op: "add", path: "/metadata/annotations", value: { status: JSON.stringify({ version }) } }]);
  const answer = (version: string) =>
    JSON.stringify({ response: { patch: Buffer.from(status(version)).toString("base64") } });
  const one = answer("0.1.0");
  const both = (a: string, b: string, expected?: string) => ({
    conversations: [a, b].map((text, index) =>
      conversation(`${"ab"[index]}`, {
        answers: { found: [text] },
        expected: expected === undefined ? undefined : [expected],
      }),
    ),
  });
  test.each<[string, Partial<Release>, string[]]>([
    ["alike, and as expected", both(one, one, one), ["✓"]],
    ["alike, of another version than this command", both(answer("0.2.0"), answer("0.2.0"), one), ["✓"]],
    ["alike, and not as the ConfigMap says", both(one, one, `${one} `), ["! not-in-force"]],
    ["not alike", both(one, `${one} `, one), ["✗ different"]],
    ["from nobody", { conversations: [conversation("a", { answers: mayNot })] }, ["?"]],
    [
      "from one of two",
      { conversations: [conversation("a"), conversation("b", { answers: { failed: "it hung up" } })] },
      ["✓", "?"],
    ],
  ])("%s", (_, release, said) => expect(says(sameAnswers, readings({}, release))).toEqual(said));

  test("the review is one that the API server could send", () => {
    expect(admissionReview({ metadata: { name: "x" } }, "ci", { dryRun: true })).toMatchObject({
      request: { name: "x", namespace: "ci", dryRun: true },
    });
  });
});

describe("caches", () => {
  const cache = (readyReplicas: number) => ({
    caches: { found: [{ metadata: { name: "cache" }, spec: { replicas: 1 }, status: { readyReplicas } }] },
  });
  test.each<[string, Partial<Release>, string[]]>([
    ["none", {}, []],
    ["one that is ready", cache(1), ["✓"]],
    ["one that is not", cache(0), ["! not-ready"]],
    ["caches that may not be read", { caches: mayNot }, ["?"]],
  ])("%s", (_, release, said) => expect(says(caches, readings({}, release))).toEqual(said));
});

describe("bundles", () => {
  const servers = (readyReplicas: number) => ({
    bundleServers: { found: [{ metadata: { name: "one" }, spec: { replicas: 1 }, status: { readyReplicas } }] },
  });
  test.each<[string, Partial<Release>, string[]]>([
    ["none", {}, []],
    ["one that is served", servers(1), ["✓"]],
    ["one that is not", servers(0), ["! not-ready"]],
    ["servers that may not be read", { bundleServers: mayNot }, ["?"]],
  ])("%s", (_, release, said) => expect(says(bundles, readings({}, release))).toEqual(said));
});
