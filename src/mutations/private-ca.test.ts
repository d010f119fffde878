import { expect, test } from "vitest";
import {
  allRegistries,
  containerOf,
  goldenPod,
  mirrors,
  profileWith,
  runAll,
  runOne,
  unrestricted,
} from "../../test/support/pods.ts";
import type { Pod } from "../pod/types.ts";
import { privateCA } from "./private-ca.ts";

const run = (pod: Pod = goldenPod("dind-sidecar"), profile: object = mirrors) => runOne(privateCA, pod, profile);

test("the runner trusts the certificates only if the profile enables it, also without Docker", () => {
  const { wrapperArgs, outcome } = run(goldenPod("default-mode"), allRegistries);
  expect(outcome.result).toBe("applied");
  expect(wrapperArgs).toEqual(["arc-primer-files", "trust", "/etc/arc-primer/ca/ca.crt"]);
  const withoutRunner = { privateCA: { secret: { name: "corporate-ca" } } };
  expect(run(undefined, withoutRunner).outcome).toMatchObject({ reason: "not-configured" });
  expect(run().outcome).toMatchObject({ reason: "not-configured" });
});

test.each<[string, object, string, boolean]>([
  ["/etc/ssl/certs", { hostPath: { path: "/etc/ssl/certs" } }, "trust-in-node", true],
  ["/etc/ssl/certs/", { emptyDir: {} }, "trust-in-node", true],
  ["/etc/ssl", { hostPath: { path: "/etc/ssl" } }, "trust-in-node", true],
  ["/usr/local/share/ca-certificates/corporate", { configMap: { name: "ca" } }, "trust-in-node", true],
  ["/usr/local", { persistentVolumeClaim: { claimName: "tools" } }, "trust-in-node", true],
  ["/usr/local/share", { emptyDir: {} }, "trust", false],
  ["/etc/ssl/private", { secret: { secretName: "x" } }, "trust", false],
])("the system's trust store is not changed if it is on a volume: %s, %j: %s", (mountPath, source, step, hasNote) => {
  const pod = goldenPod("dind-sidecar");
  containerOf(pod, "runner").volumeMounts?.push({ name: "mine", mountPath });
  pod.spec.volumes?.push({ name: "mine", ...source });
  const { wrapperArgs, outcome } = run(pod, allRegistries);
  expect(wrapperArgs).toEqual(["arc-primer-files", step, "/etc/arc-primer/ca/ca.crt"]);
  expect(outcome).toMatchObject({ result: "applied", notes: hasNote ? ["system-store-mounted"] : [] });
});

test.each([
  ["/usr/local/share/ca-certificates/ca.crt", "trust", []],
  ["/etc/ssl/certs/corporate.pem", "trust", []],
  ["/etc/ssl/certs/ca-certificates.crt", "trust-in-node", ["system-store-mounted"]],
])("a single file mounted at %s: %s", (mountPath, step, notes) => {
  const pod = goldenPod("dind-sidecar");
  containerOf(pod, "runner").volumeMounts?.push({ name: "tls", mountPath, subPath: "ca.crt" });
  pod.spec.volumes?.push({ name: "tls", configMap: { name: "ca" } });
  const { wrapperArgs, outcome } = run(pod, allRegistries);
  expect(wrapperArgs[1]).toBe(step);
  expect(outcome).toMatchObject({ result: "applied", notes });
});

test("with a read-only root filesystem, only Node.js can trust the certificates", () => {
  const pod = goldenPod("dind-sidecar");
  containerOf(pod, "runner").securityContext = { readOnlyRootFilesystem: true };
  const { wrapperArgs, outcome } = run(pod, allRegistries);
  expect(wrapperArgs[1]).toBe("trust-in-node");
  expect(outcome).toMatchObject({ result: "applied", notes: ["system-store-read-only"] });
});

test("the second pass changes nothing, even if another webhook has mounted a volume at the trust store", () => {
  const profile = profileWith(allRegistries);
  const first = runAll([privateCA], goldenPod("dind-sidecar"), profile, unrestricted).pod;
  containerOf(first, "runner").volumeMounts?.push({ name: "work", mountPath: "/etc/ssl/certs" });
  const second = runAll([privateCA], first, profile, unrestricted);
  expect(second.pod).toBe(first);
  expect(second.outcomes[0]).toMatchObject({ reason: "already-there", notes: [] });
});
