import * as fc from "fast-check";
import { expect, test } from "vitest";
import { containerOf, goldenPod } from "../../test/support/pods.ts";
import { deepFreeze } from "../config/deep-freeze.ts";
import { startEditing } from "./editing.ts";
import type { Pod } from "../pod/types.ts";

function edited(pod: Pod, edit: (copy: Pod) => void): Pod {
  const { copy, finish } = startEditing(deepFreeze(pod));
  edit(copy);
  return finish();
}

test("without changes, the result is the same object as the original pod", () => {
  const pod = goldenPod("dind-sidecar");
  expect(edited(pod, (copy) => void JSON.stringify(copy))).toBe(pod);
});

test("a changed part and its parents are new objects; all other parts are the same objects", () => {
  const pod = goldenPod("dind-sidecar");
  const after = edited(pod, (copy) => containerOf(copy, "runner").env?.push({ name: "A", value: "b" }));
  const [runner, was] = [containerOf(after, "runner"), containerOf(pod, "runner")];
  expect(runner.env).toEqual([...(was.env ?? []), { name: "A", value: "b" }]);
  expect({ ...runner, env: was.env }).toEqual(was);
  expect(runner.command).toBe(was.command);
  expect(after.metadata).toBe(pod.metadata);
  expect(after.spec.volumes).toBe(pod.spec.volumes);
  expect(after.spec.initContainers).toBe(pod.spec.initContainers);
});

test("if a change is reverted or replaced by an equal value, the result is the original object", () => {
  const pod = goldenPod("dind-sidecar");
  const after = edited(pod, ({ metadata, spec }) => {
    metadata.annotations = { ...metadata.annotations, a: "b" };
    metadata.annotations = pod.metadata.annotations!;
    spec.volumes?.push(spec.volumes.pop()!);
    spec.containers = [...spec.containers];
    spec.containers.push(spec.containers.pop()!);
  });
  expect(after).toBe(pod);
});

test("deleted, emptied and reordered parts, and values that Kubernetes treats as absent", () => {
  const pod = goldenPod("dind-sidecar");
  Object.assign(containerOf(pod, "runner"), { env: null, args: undefined });
  const after = edited(pod, ({ spec }) => {
    delete containerOf({ spec } as Pod, "dind").startupProbe;
    spec.initContainers?.reverse();
    spec.volumes = [];
  });
  expect(containerOf(after, "dind")).not.toHaveProperty("startupProbe");
  expect(after.spec.initContainers?.map(({ name }) => name)).toEqual(["dind", "init-dind-externals"]);
  expect(after.spec.initContainers?.[1]).toBe(pod.spec.initContainers?.[0]);
  expect(after.spec.containers).toBe(pod.spec.containers);
});

test("deleting a field and setting another one to undefined are changes", () => {
  const pod = goldenPod("dind-sidecar");
  const after = edited(pod, (copy) => {
    const dind = containerOf(copy, "dind");
    delete dind.startupProbe;
    Object.assign(dind, { lifecycle: undefined });
  });
  expect(after).not.toBe(pod);
  expect(containerOf(after, "dind")).not.toHaveProperty("startupProbe");
});

test("for any edit, the original pod is not modified, and equal parts are the original objects", () => {
  const name = fc.constantFrom("a", "b", "c");
  const container = fc.record(
    {
      name,
      image: name,
      command: fc.array(name),
      env: fc.option(fc.array(fc.record({ name, value: name })), { freq: 2 }),
      volumeMounts: fc.array(fc.record({ name, mountPath: name })),
    },
    { requiredKeys: ["name"] },
  );
  const containers = fc.array(container, { maxLength: 3 });
  const anyPod = fc.record({ metadata: fc.constant({}), spec: fc.record({ containers, initContainers: containers }) });
  fc.assert(
    fc.property(anyPod, anyPod, (from, to) => {
      const pod = from as unknown as Pod;
      const before = structuredClone(pod);
      const after = edited(pod, ({ spec }) => {
        spec.containers.forEach((one, index) => Object.assign(one, to.spec.containers[index]));
        spec.initContainers?.splice(0, 1, ...(to.spec.initContainers as Pod["spec"]["containers"]));
      });
      expect(pod).toEqual(before);
      for (const [index, one] of after.spec.containers.entries()) {
        const merged = { ...from.spec.containers[index], ...to.spec.containers[index] };
        expect(one).toEqual(merged);
      }
      expect(after.spec.initContainers).toEqual([...to.spec.initContainers, ...from.spec.initContainers.slice(1)]);
    }),
  );
});
