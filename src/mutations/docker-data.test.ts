import { describe, expect, test } from "vitest";
import { containerOf, goldenPod, runOne } from "../../test/support/pods.ts";
import type { Container, Pod } from "../pod/types.ts";
import { dockerData } from "./docker-data.ts";

const name = "arc-primer-docker-data";
const limited = { emptyDir: { sizeLimit: "50Gi" } };
const run = (pod: Pod, data: object = limited) => runOne(dockerData, pod, { docker: { data } });

/** A golden pod with a modified DinD container. */
function withDind(change: Partial<Container>, golden = "dind-sidecar"): Pod {
  const pod = goldenPod(golden);
  Object.assign(containerOf(pod, "dind"), change);
  return pod;
}

const mountOf = (pod: Pod) => containerOf(pod, "dind").volumeMounts?.find((mount) => mount.name === name)?.mountPath;

test.each<[object, object]>([
  [{ emptyDir: {} }, { emptyDir: {} }],
  [limited, limited],
  [{ emptyDir: { medium: "Memory", sizeLimit: "8Gi" } }, { emptyDir: { medium: "Memory", sizeLimit: "8Gi" } }],
  [
    { ephemeral: { size: "100Gi" } },
    {
      ephemeral: {
        volumeClaimTemplate: {
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "100Gi" } } },
        },
      },
    },
  ],
])("%j: only a volume and a mount are added", (data, source) => {
  const before = goldenPod("dind-sidecar");
  const { pod, outcome } = run(before, data);
  expect(outcome).toMatchObject({ result: "applied", notes: [] });
  expect(pod.spec.volumes).toEqual([...before.spec.volumes!, { name, ...source }]);
  expect(containerOf(pod, "dind")).toEqual({
    ...containerOf(before, "dind"),
    volumeMounts: [...containerOf(before, "dind").volumeMounts!, { name, mountPath: "/var/lib/docker" }],
  });
  expect(pod.spec.containers).toEqual(before.spec.containers);
  expect(run(pod, data).outcome).toMatchObject({ reason: "already-there" });
});

describe("the volume is mounted where dockerd keeps its data", () => {
  const flags = (...more: string[]) => ({ args: ["dockerd", ...more] });
  test.each<[string, Partial<Container>, string]>([
    ["--data-root=PATH", flags("--data-root=/data/docker/"), "/data/docker"],
    ["--data-root PATH", flags("--data-root", "/data"), "/data"],
    ["-g PATH, as in older versions", flags("-g", "/graph"), "/graph"],
    ["no flag", { args: [] }, "/var/lib/docker"],
    ["a shell string that only starts dockerd", { command: ["sh", "-c", "dockerd --data-root=/d"], args: [] }, "/d"],
  ])("%s", (_what, change, path) => expect(mountOf(run(withDind(change)).pod)).toBe(path));

  test("rootless: at the parent directory, in a home directory from an emptyDir", () => {
    expect(mountOf(run(goldenPod("dind-rootless")).pod)).toBe("/home/runner/.local/share");
    const env = [{ name: "XDG_DATA_HOME", value: "/home/runner/data" }];
    expect(mountOf(run(withDind({ env }, "dind-rootless")).pod)).toBe("/home/runner/data");
  });
});

test("two DinD containers get separate volumes", () => {
  const { pod } = run(goldenPod("two-dinds"));
  const ours = pod.spec.volumes?.map((volume) => volume.name).filter((one) => one.startsWith(name));
  expect(ours).toEqual([name, `${name}-2`]);
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap((one) => one.volumeMounts ?? []);
  expect(
    all
      .map((mount) => mount.name)
      .filter((one) => one.startsWith(name))
      .toSorted(),
  ).toEqual(ours);
});

describe("the pod is not changed", () => {
  const mounted = (mountPath: string) => {
    const pod = withDind({});
    pod.spec.volumes!.push({ name: "own", emptyDir: {} });
    containerOf(pod, "dind").volumeMounts!.push({ name: "own", mountPath });
    containerOf(pod, "runner").volumeMounts!.push({ name: "own", mountPath: "/var/lib" });
    return pod;
  };
  const memory = { emptyDir: { medium: "Memory", sizeLimit: "8Gi" } };
  test.each<[string, Pod, object, string]>([
    ["nothing is set", goldenPod("dind-sidecar"), {}, "not-configured"],
    ["it is disabled", goldenPod("dind-sidecar"), { ...limited, enabled: false }, "disabled"],
    ["there is no DinD", goldenPod("default-mode"), limited, "no-dind"],
    ["a volume is mounted there", mounted("/var/lib/docker/"), limited, "docker-data-mounted"],
    ["a volume is mounted below", mounted("/var/lib/docker/overlay2"), limited, "docker-data-mounted"],
    ["a shared volume is mounted at a parent directory", mounted("/var/lib"), limited, "docker-data-mounted"],
    ["a daemon.json is mounted", goldenPod("daemon-json-mounted"), limited, "data-root-unknown"],
    ["dockerd is started by more than a plain command", goldenPod("dind-shell-command"), limited, "data-root-unknown"],
    ["a variable is in the path", withDind({ args: ["dockerd", "--data-root=$(ROOT)"] }), limited, "data-root-unknown"],
    [
      "dockerd is rootless, with the home directory of its image",
      withDind({ image: "docker:dind-rootless" }),
      limited,
      "data-root-rootless",
    ],
    [
      "dockerd is rootless, with a --data-root",
      withDind({ args: ["dockerd", "--data-root=/d"] }, "dind-rootless"),
      limited,
      "data-root-rootless",
    ],
    [
      "dockerd is rootless, with an ephemeral volume",
      goldenPod("dind-rootless"),
      { ephemeral: { size: "9Gi" } },
      "data-root-rootless",
    ],
    [
      "its memory limit is lower than the volume's size limit",
      withDind({ resources: { limits: { memory: "4Gi" } } }),
      memory,
      "docker-data-memory",
    ],
  ])("if %s", (_what, before, data, reason) => {
    const { pod, outcome } = run(before, data);
    expect(outcome).toMatchObject({ reason });
    expect(pod).toBe(before);
  });
});

test("a sufficiently high memory limit is no obstacle", () => {
  const pod = withDind({ resources: { limits: { memory: "16Gi" } } });
  expect(run(pod, { emptyDir: { medium: "Memory", sizeLimit: "8Gi" } }).outcome.result).toBe("applied");
});
