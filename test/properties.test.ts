import * as fc from "fast-check";
import jsonPatch from "fast-json-patch";
import { expect, test } from "vitest";
import { createAdmit } from "../src/webhook/admit.ts";
import { deepFreeze } from "../src/config/deep-freeze.ts";
import { admissionReview, patchOf, patched } from "../src/cli/admission-client.ts";
import type { AdmissionAnswer } from "../src/cli/admission-client.ts";
import type { Config } from "../src/config/schema.ts";
import { createLogger } from "../src/log.ts";
import { createMetrics } from "../src/metrics.ts";
import { mutations } from "../src/mutations/index.ts";
import { brokenInvariants } from "../src/engine/invariants.ts";
import type { Container, Pod } from "../src/pod/types.ts";
import { createPrime } from "../src/engine/prime.ts";
import { kubeletExpand } from "./support/expand.ts";
import { configs, pods } from "./support/arbitrary-pods.ts";
import { goldenBundles } from "./support/pods.ts";

// Properties that must hold for every pod, not only for hand-written examples.

const runs = { numRuns: 500 };
const bundles = goldenBundles("prerequisites-bundle").map((one) => ({
  ...one,
  image: "ghcr.io/actions/actions-runner:latest",
}));
const prime = createPrime({ mutations, version: "1" });

function admitter(config: Config) {
  const log = createLogger("silent");
  const metrics = createMetrics({ processMetrics: false });
  const admit = createAdmit({ config: () => config, bundles: () => bundles, prime, log, metrics, clock: () => 0 });
  return (object: unknown) =>
    JSON.parse(admit(admissionReview(object, "arc-runners"), "privileged")) as AdmissionAnswer;
}

/** Pairs of each original container and its primed version. */
function pairs(before: Pod, after: Pod): { original: Container; changed: Container }[] {
  return (["initContainers", "containers"] as const).flatMap((list) =>
    (before.spec[list] ?? []).map((original, index) => ({ original, changed: after.spec[list]![index]! })),
  );
}

test("every pod is admitted; the patch results in the same pod as render; the input is not modified", () => {
  fc.assert(
    fc.property(pods, configs, (original, config) => {
      const pod = deepFreeze(structuredClone(original));
      const copy = structuredClone(pod);
      const answer = admitter(config)(pod);
      expect(answer.response.allowed).toBe(true);
      const { pod: want } = prime(pod, { namespace: "arc-runners", podSecurity: "privileged", config, bundles });
      expect(patched(pod, answer)).toEqual(want);
      expect(pod).toEqual(copy);
    }),
    runs,
  );
});

test("the second patch is empty, even if another webhook has inserted a sidecar before the other containers", () => {
  fc.assert(
    fc.property(pods, configs, (pod, config) => {
      const admit = admitter(config);
      const first = patched(pod, admit(pod));
      expect(patchOf(admit(first))).toEqual([]);
      const sidecar = { name: "zz-proxy", image: "proxy:1" };
      const later = { ...first, spec: { ...first.spec, containers: [sidecar, ...first.spec.containers] } };
      expect(patchOf(admit(later))).toEqual([]);
    }),
    runs,
  );
});

/** Parts that we add have our name prefix or the names that ARC uses for DinD. */
const ours = /^arc-primer-|^(work|dind-sock|dind-externals|dind-etc|dind-home|dind|init-dind-(externals|rootless))$/;

/** The names of all containers and volumes. */
function names({ spec }: Pod): string[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.volumes ?? [])].map((one) => one.name);
}

/** The names of the privileged containers that were added. */
function privileged(before: Pod, after: Pod): string[] {
  const original = names(before);
  return [...(after.spec.initContainers ?? []), ...after.spec.containers]
    .filter((one) => !original.includes(one.name) && one.securityContext?.privileged)
    .map((one) => one.name);
}

test("the invariants hold: names, order, volumes, mounts, restart policies, privileges", () => {
  const untouched = ({ name: own, restartPolicy, securityContext, livenessProbe }: Container) =>
    ({ own, restartPolicy, securityContext, livenessProbe }) as const;
  fc.assert(
    fc.property(pods, configs, (pod, config) => {
      const after = patched(pod, admitter(config)(pod));
      // Ours come after all existing ones.
      const first = <T>(list: readonly T[] = [], count = 0) => list.slice(0, count);
      expect(first(after.spec.volumes, pod.spec.volumes?.length)).toEqual(pod.spec.volumes ?? []);
      for (const { original, changed } of pairs(pod, after)) {
        expect(untouched(changed)).toEqual(untouched(original));
        expect(first(changed.volumeMounts, original.volumeMounts?.length)).toEqual(original.volumeMounts ?? []);
      }
      expect(privileged(pod, after).every((one) => one === "dind" && config.profiles["default"]?.docker.inject)).toBe(
        true,
      );
      const original = names(pod);
      for (const one of names(after).filter((now) => !original.includes(now))) expect(one).toMatch(ours);
      expect(after.spec.terminationGracePeriodSeconds ?? 30).toBeGreaterThanOrEqual(
        pod.spec.terminationGracePeriodSeconds ?? 30,
      );
      // The engine compares references, so use its own result, not one that was serialized to JSON.
      const primed = prime(pod, { namespace: "arc-runners", podSecurity: "privileged", config, bundles }).pod as Pod;
      expect(
        brokenInvariants(
          pod,
          primed,
          mutations.flatMap(({ permissions: may = [] }) => may),
        ),
      ).toEqual([]);
    }),
    runs,
  );
});

test("unknown fields are preserved: a patch changes only commands, args, env, images, resources, probes, mounts, hooks, the grace period, pull secrets and our annotations, or adds new parts", () => {
  const touched =
    /^\/metadata\/annotations(\/arc-primer\.dev~1[\w-]+)?$|^\/spec\/(initContainers|containers)\/\d+\/(command|args|env|image|resources|startupProbe|volumeMounts|lifecycle)(\/|$)|^\/spec\/(terminationGracePeriodSeconds$|imagePullSecrets(\/|$))/;
  const added = /^\/spec\/(initContainers|containers|volumes)(\/\d+)?$/;
  fc.assert(
    fc.property(pods, configs, (pod, config) => {
      for (const { op, path } of patchOf(admitter(config)(pod))) {
        expect(op === "add" && added.test(path) ? "ours" : path).toMatch(new RegExp(`^ours$|${touched.source}`));
      }
    }),
    runs,
  );
});

/** A shell string that only starts dockerd may be changed to pass on its arguments. No other argument is ever changed. */
function withoutPassedArgs(changed: Container, original: Container): Container {
  const before = [...(original.command ?? []), ...(original.args ?? [])];
  const undo = (text: string) =>
    !before.includes(text) && /dockerd.* "\$@"$/s.test(text) ? text.replace(/ "\$@"$/, "") : text;
  return {
    ...changed,
    ...(changed.command && { command: changed.command.map(undo) }),
    ...(changed.args && { args: changed.args.map(undo) }),
  };
}

test("a container keeps its args and env, and its own command runs last", () => {
  fc.assert(
    fc.property(pods, configs, (pod, config) => {
      const after = patched(pod, admitter(config)(pod));
      for (const { original, changed: found } of pairs(pod, after)) {
        const changed = withoutPassedArgs(found, original);
        expect(changed.args?.slice(0, original.args?.length ?? 0) ?? []).toEqual(original.args ?? []);
        expect(changed.env?.slice(0, original.env?.length ?? 0) ?? []).toEqual(original.env ?? []);
        const command = original.command ?? [];
        expect(changed.command?.slice(changed.command.length - command.length) ?? []).toEqual(command);
      }
    }),
    runs,
  );
});

test("after the kubelet's expansion, our additions to command and args have the intended values", () => {
  const withFlags = pods.map((pod) => ({ ...pod, metadata: { ...pod.metadata, annotations: {} } }));
  fc.assert(
    fc.property(withFlags, configs, (pod, config) => {
      const after = patched(pod, admitter(config)(pod));
      for (const { original, changed } of pairs(pod, after)) {
        const added = (changed.args ?? []).slice(original.args?.length ?? 0);
        const values = { HOST_IP: "192.0.2.1", NAME: "label" };
        for (const flag of added) {
          const intended = flag.replace("$(HOST_IP)", "192.0.2.1").replace("$(NAME)", "label");
          expect(kubeletExpand(flag, values)).toBe(intended);
        }
      }
    }),
    runs,
  );
});

test("any JSON in place of the pod is admitted", () => {
  fc.assert(
    fc.property(fc.jsonValue() as fc.Arbitrary<unknown>, configs, (object, config) => {
      const answer = admitter(config)(object);
      expect(answer.response.allowed).toBe(true);
      expect(patchOf(answer)).toEqual([]);
    }),
    runs,
  );
});

test("any JSON in place of a part of a runner pod is admitted, and the patch can be applied", () => {
  const paths = [
    "/metadata/labels",
    "/metadata/annotations",
    "/metadata/name",
    "/spec/containers",
    "/spec/containers/0",
  ];
  const parts = ["command", "args", "env", "image", "name", "volumeMounts", "resources"].map(
    (key) => `/spec/containers/0/${key}`,
  );
  const anywhere = fc.constantFrom(
    ...paths,
    ...parts,
    "/spec/volumes",
    "/spec/initContainers",
    "/spec/os",
    "/spec",
    "/metadata",
  );
  fc.assert(
    fc.property(pods, anywhere, fc.jsonValue() as fc.Arbitrary<unknown>, configs, (pod, path, value, config) => {
      const odd = jsonPatch.applyPatch(structuredClone(pod), [{ op: "add", path, value }]).newDocument;
      const answer = admitter(config)(odd);
      expect(answer.response.allowed).toBe(true);
      patched(odd, answer);
    }),
    runs,
  );
});
