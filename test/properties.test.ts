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
function pairs(before: Pod, after: Pod): { came: Container; left: Container }[] {
  return (["initContainers", "containers"] as const).flatMap((list) =>
    (before.spec[list] ?? []).map((came, index) => ({ came, left: after.spec[list]![index]! })),
  );
}

test("every pod is admitted; the patch results in the same pod as render; the input is not modified", () => {
  fc.assert(
    fc.property(pods, configs, (came, config) => {
      const pod = deepFreeze(structuredClone(came));
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

test("the second patch is empty, even if another webhook has added a sidecar in front", () => {
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
  const came = names(before);
  return [...(after.spec.initContainers ?? []), ...after.spec.containers]
    .filter((one) => !came.includes(one.name) && one.securityContext?.privileged)
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
      for (const { came, left } of pairs(pod, after)) {
        expect(untouched(left)).toEqual(untouched(came));
        expect(first(left.volumeMounts, came.volumeMounts?.length)).toEqual(came.volumeMounts ?? []);
      }
      expect(privileged(pod, after).every((one) => one === "dind" && config.profiles["default"]?.docker.inject)).toBe(
        true,
      );
      const came = names(pod);
      for (const one of names(after).filter((now) => !came.includes(now))) expect(one).toMatch(ours);
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
function withoutHandingOn(left: Container, came: Container): Container {
  const before = [...(came.command ?? []), ...(came.args ?? [])];
  const undo = (text: string) =>
    !before.includes(text) && /dockerd.* "\$@"$/s.test(text) ? text.replace(/ "\$@"$/, "") : text;
  return {
    ...left,
    ...(left.command && { command: left.command.map(undo) }),
    ...(left.args && { args: left.args.map(undo) }),
  };
}

test("a container keeps its args and env, and its command still runs, last", () => {
  fc.assert(
    fc.property(pods, configs, (pod, config) => {
      const after = patched(pod, admitter(config)(pod));
      for (const { came, left: found } of pairs(pod, after)) {
        const left = withoutHandingOn(found, came);
        expect(left.args?.slice(0, came.args?.length ?? 0) ?? []).toEqual(came.args ?? []);
        expect(left.env?.slice(0, came.env?.length ?? 0) ?? []).toEqual(came.env ?? []);
        const command = came.command ?? [];
        expect(left.command?.slice(left.command.length - command.length) ?? []).toEqual(command);
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
      for (const { came, left } of pairs(pod, after)) {
        const added = (left.args ?? []).slice(came.args?.length ?? 0);
        const values = { HOST_IP: "192.0.2.1", NAME: "label" };
        for (const flag of added) {
          const meant = flag.replace("$(HOST_IP)", "192.0.2.1").replace("$(NAME)", "label");
          expect(kubeletExpand(flag, values)).toBe(meant);
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
