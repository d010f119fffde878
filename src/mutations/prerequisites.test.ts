import { describe, expect, test } from "vitest";
import { containerOf, goldenBundles, goldenPod, profileWith, runAll, unrestricted } from "../../test/support/pods.ts";
import { kubeletExpand } from "../../test/support/expand.ts";
import type { Pod } from "../pod/types.ts";
import { brokenInvariants } from "../engine/invariants.ts";
import installScript from "../scripts/install-packages.sh";
import type { PodSecurity } from "../pod/pod-security.ts";
import { mutations } from "./index.ts";
import { prerequisites } from "./prerequisites.ts";

const name = "arc-primer-prerequisites";

function run(pod: Pod, settings: object = { packages: ["curl", "git"] }, podSecurity: PodSecurity = "privileged") {
  const { pod: after, outcomes } = runAll([prerequisites], pod, profileWith({ prerequisites: settings }), {
    podSecurity,
  });
  return { pod: after, outcome: outcomes[0]! };
}

test.each(["dind-sidecar", "dind-container", "default-mode"])(
  "%s: adds an init container at the end, a volume and a wrapper",
  (layout) => {
    const before = goldenPod(layout);
    const { pod, outcome } = run(before);
    expect(outcome).toEqual({ mutation: "prerequisites", result: "applied", notes: [] });
    const added = pod.spec.initContainers?.at(-1);
    const runner = containerOf(before, "runner");
    expect(added).toMatchObject({
      name,
      image: runner.image,
      args: ["curl", "git"],
      securityContext: { runAsUser: 0, runAsGroup: 0, runAsNonRoot: false },
      terminationMessagePolicy: "FallbackToLogsOnError",
      volumeMounts: [{ name, mountPath: "/arc-primer/prerequisites" }],
    });
    expect(pod.spec.initContainers?.slice(0, -1)).toEqual(before.spec.initContainers ?? []);
    expect(pod.spec.volumes?.at(-1)).toEqual({ name, emptyDir: { sizeLimit: "2Gi" } });
    const primed = containerOf(pod, "runner");
    expect(primed.volumeMounts?.at(-1)).toEqual({ name, mountPath: "/arc-primer/prerequisites", readOnly: true });
    expect(primed.command?.slice(3)).toEqual([
      "arc-primer-packages",
      "directory=/arc-primer/prerequisites",
      "on-failure=warn",
      "--",
      ...(runner.command ?? []),
    ]);
    expect(brokenInvariants(before, pod)).toEqual([]);
    expect(run(pod).outcome).toMatchObject({ reason: "already-there" });
  },
);

test("packages are installed before the wait for Docker, which may need one of them", () => {
  const profile = profileWith({ prerequisites: { packages: ["docker.io"] } });
  const { pod } = runAll(mutations, goldenPod("dind-sidecar"), profile, unrestricted);
  const command = containerOf(pod, "runner").command ?? [];
  expect(command.indexOf("arc-primer-packages")).toBeLessThan(command.indexOf("arc-primer-wait"));
  expect(command.at(-1)).toBe("/home/runner/run.sh");
});

test("the added container gets the runner's pull policy, resources and proxy, but none of its secrets", () => {
  const before = goldenPod("dind-sidecar");
  const proxy = { name: "http_proxy", valueFrom: { secretKeyRef: { name: "proxy", key: "http_proxy" } } };
  Object.assign(containerOf(before, "runner"), {
    imagePullPolicy: "IfNotPresent",
    resources: { limits: { cpu: "2" }, requests: { memory: "1Gi" }, claims: [{ name: "gpu" }] },
  });
  const password = { name: "PROXY_PASSWORD", valueFrom: { secretKeyRef: { name: "proxy", key: "password" } } };
  const all = { name: "ALL_PROXY", value: "http://me:$(PROXY_PASSWORD)@proxy:3128/$(ACTIONS_RUNNER_INPUT_JITCONFIG)" };
  containerOf(before, "runner").env?.push(proxy, password, { name: "NO_PROXY", value: "10.0.0.0/8" }, all);
  const { pod } = run(before);
  const added = containerOf(pod, name);
  expect(added).toMatchObject({
    imagePullPolicy: "IfNotPresent",
    resources: { limits: { cpu: "2" }, requests: { memory: "1Gi" } },
    env: [proxy, password, { name: "NO_PROXY", value: "10.0.0.0/8" }, all],
  });
  expect(added.resources).not.toHaveProperty("claims");
  expect(added.env?.map((variable) => variable.name)).not.toContain("ACTIONS_RUNNER_INPUT_JITCONFIG");
});

test("every setting is passed as an argument that the kubelet's expansion does not change", () => {
  const key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc=\n-----END PGP PUBLIC KEY BLOCK-----\n";
  const { pod } = run(goldenPod("dind-sidecar"), {
    packages: ["git=1:2.39*"],
    apt: {
      proxy: "http://apt-cache.example.com:3142",
      mirrors: { "http://archive.example.com/ubuntu": "http://mirror.example.com/ubuntu" },
      sources: [
        {
          url: "https://apt.example.com/docker",
          suites: ["noble"],
          components: ["stable"],
          architectures: ["amd64"],
          signedBy: key,
        },
        { url: "http://apt.example.com/flat", suites: ["./"], trusted: true },
      ],
    },
    script: "echo $(HOSTNAME) $$ > /etc/made; echo $HOME",
    onFailure: "fail",
    timeout: "90s",
    sizeLimit: "1Gi",
  });
  const { command = [], args } = containerOf(pod, name);
  expect(args).toEqual(["git=1:2.39*"]);
  const expanded = command.map((word) => kubeletExpand(word, { HOSTNAME: "wrong" }));
  expect(expanded).toEqual([
    "/bin/sh",
    "-c",
    installScript,
    name,
    "directory=/arc-primer/prerequisites",
    "on-failure=fail",
    "timeout=90",
    `size-limit=${Math.floor(0.9 * 2 ** 30)}`,
    "proxy=http://apt-cache.example.com:3142",
    "mirror=http://archive.example.com/ubuntu",
    "by=http://mirror.example.com/ubuntu",
    `key=${key}`,
    "source=Types: deb\nURIs: https://apt.example.com/docker\nSuites: noble\nComponents: stable\nArchitectures: amd64",
    "source=Types: deb\nURIs: http://apt.example.com/flat\nSuites: ./\nTrusted: yes",
    "script=echo $(HOSTNAME) $$ > /etc/made; echo $HOME",
    "--",
  ]);
});

test("a script without packages is enough", () => {
  const { pod, outcome } = run(goldenPod("default-mode"), { script: "true" });
  expect(outcome.result).toBe("applied");
  expect(containerOf(pod, name).args).toBeUndefined();
});

describe("package bundles", () => {
  const settings = { packages: ["curl", "git"] };
  const bundles = goldenBundles("prerequisites-bundle");
  const context = { ...unrestricted, bundles };
  const offers = (pod: Pod) => containerOf(pod, name).command?.filter((word) => word.startsWith("bundle=")) ?? [];
  const prime = (pod: Pod, profile: object = settings, where = context) =>
    runAll([prerequisites], pod, profileWith({ prerequisites: profile }), where);

  test("the newest bundle of each architecture is offered if profile, image and settings match", () => {
    const { pod, outcomes } = prime(goldenPod("prerequisites-bundle"));
    expect(outcomes[0]).toMatchObject({ result: "applied", notes: ["bundle-offered"] });
    expect(offers(pod).map((word) => word.slice(0, 18))).toEqual(["bundle=amd64 aaaaa", "bundle=arm64 bbbbb"]);
    const again = prime(pod);
    expect(again.outcomes[0]).toMatchObject({ reason: "already-there", notes: ["bundle-offered"] });
  });

  test.each<[string, object]>([
    ["another package", { packages: ["curl", "git", "jq"] }],
    ["another version", { packages: ["curl", "git=1:2.39*"] }],
    ["a script", { ...settings, script: "true" }],
    ["a mirror", { ...settings, apt: { mirrors: { "http://a.example.com": "http://b.example.com" } } }],
  ])("no bundle is offered if the settings differ by %s", (_what, changed) => {
    const { pod, outcomes } = prime(goldenPod("prerequisites-bundle"), changed);
    expect({ offers: offers(pod), notes: outcomes[0]?.notes }).toEqual({ offers: [], notes: [] });
  });

  test.each<[string, object]>([
    ["timeout", { ...settings, timeout: "1m" }],
    ["sizeLimit", { ...settings, sizeLimit: "1Gi" }],
    ["onFailure", { ...settings, onFailure: "fail" }],
    ["apt.keep", { ...settings, apt: { keep: true } }],
  ])("bundles are offered even if %s differs, because it does not affect what is installed", (_what, changed) => {
    expect(offers(prime(goldenPod("prerequisites-bundle"), changed).pod)).toHaveLength(2);
  });

  test("no bundle is offered for another image", () => {
    const pod = goldenPod("prerequisites-bundle");
    containerOf(pod, "runner").image = "ghcr.io/actions/actions-runner:2.336.1";
    expect(offers(prime(pod).pod)).toEqual([]);
  });

  test("a bundle that becomes available only in the second pass changes nothing", () => {
    const { pod } = prime(goldenPod("prerequisites-bundle"), settings, { ...unrestricted, bundles: [] });
    const again = prime(pod);
    expect(again.pod).toBe(pod);
    expect(again.outcomes[0]).toMatchObject({ reason: "already-there", notes: [] });
  });
});

describe("apt.keep", () => {
  const apt = {
    keep: true,
    proxy: "http://apt-cache.example.com:3142",
    mirrors: { "http://archive.example.com/ubuntu/": "http://mirror.example.com/ubuntu" },
  };
  const kept = [
    "proxy=http://apt-cache.example.com:3142",
    "mirror=http://archive.example.com/ubuntu",
    "by=http://mirror.example.com/ubuntu",
  ];
  const wrapperArgs = (pod: Pod) => {
    const command = containerOf(pod, "runner").command ?? [];
    return command.slice(4, command.indexOf("--"));
  };

  test("with packages, the wrapper also gets the proxy and the mirrors", () => {
    const { pod } = run(goldenPod("dind-sidecar"), { packages: ["curl"], apt });
    expect(wrapperArgs(pod)).toEqual(["directory=/arc-primer/prerequisites", "on-failure=warn", ...kept]);
  });

  test("without packages, only a wrapper is added, no init container and no volume", () => {
    const before = goldenPod("dind-sidecar");
    const { pod, outcome } = run(before, { apt });
    expect({ outcome: outcome.result, args: wrapperArgs(pod) }).toEqual({ outcome: "applied", args: kept });
    expect(pod.spec.initContainers).toEqual(before.spec.initContainers);
    expect(pod.spec.volumes).toEqual(before.spec.volumes);
    expect(run(pod, { apt }).outcome).toMatchObject({ reason: "already-there" });
  });

  test.each([{ keep: true }, { ...apt, keep: false }])("%j without packages does not apply", (settings) => {
    expect(run(goldenPod("dind-sidecar"), { apt: settings }).outcome).toMatchObject({ reason: "not-configured" });
  });
});

const security = (context: object) => (pod: Pod) =>
  Object.assign(containerOf(pod, "runner"), { securityContext: context });
const variables =
  (...env: object[]) =>
  (pod: Pod) =>
    (containerOf(pod, "runner").env ??= []).push(...(env as { name: string }[]));

test.each<[string, (pod: Pod) => unknown, string]>([
  ["a read-only root filesystem", security({ readOnlyRootFilesystem: true }), "read-only-root"],
  ["privilege escalation forbidden", security({ allowPrivilegeEscalation: false }), "escalation-forbidden"],
  ["all capabilities dropped", security({ capabilities: { drop: ["ALL"] } }), "capabilities-dropped"],
  [
    "a capability that sudo needs dropped",
    security({ capabilities: { drop: ["CAP_SETUID"] } }),
    "capabilities-dropped",
  ],
  [
    "a capability that root needs dropped",
    security({ runAsUser: 0, capabilities: { drop: ["chown"] } }),
    "capabilities-dropped",
  ],
  [
    "a kubernetes mode",
    variables(
      { name: "ACTIONS_RUNNER_CONTAINER_HOOKS", value: "/hooks/index.js" },
      { name: "ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER", value: "True" },
    ),
    "kubernetes-mode",
  ],
  ["no command", (pod) => delete containerOf(pod, "runner").command, "no-command"],
  [
    "a volume from the pod template with our name",
    (pod) => pod.spec.volumes?.push({ name, hostPath: { path: "/" } }),
    "name-taken",
  ],
  ["a container from the pod template with our name", (pod) => pod.spec.containers.push({ name }), "name-taken"],
  [
    "an init container from the pod template with our name",
    (pod) => pod.spec.initContainers?.push({ name, image: "evil", command: ["/bin/sh", "-c", "exit 0", name] }),
    "name-taken",
  ],
  ["no runner", (pod) => (containerOf(pod, "runner").name = "other"), "no-runner-container"],
])("does not apply: %s", (_what, change, reason) => {
  const before = goldenPod("dind-sidecar");
  change(before);
  const { pod, outcome } = run(before);
  expect(pod).toBe(before);
  expect(outcome).toMatchObject({ result: "skipped", reason });
});

test.each<[string, (pod: Pod) => unknown]>([
  ["root without privilege escalation", security({ runAsUser: 0, allowPrivilegeEscalation: false })],
  [
    "root in the pod's securityContext, without privilege escalation",
    (pod) => {
      pod.spec.securityContext = { runAsUser: 0 };
      security({ allowPrivilegeEscalation: false })(pod);
    },
  ],
  [
    "a privileged container with all capabilities dropped",
    security({ privileged: true, capabilities: { drop: ["ALL"] } }),
  ],
  [
    "needed capabilities dropped and added again",
    security({ capabilities: { drop: ["ALL"], add: ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID"] } }),
  ],
  ["other capabilities dropped", security({ capabilities: { drop: ["NET_RAW"] } })],
  [
    "runAsNonRoot in the pod's securityContext",
    (pod) => (pod.spec.securityContext = { runAsNonRoot: true, runAsUser: 1001, fsGroup: 123 }),
  ],
  [
    "a kubernetes mode that also runs jobs without a container",
    variables(
      { name: "ACTIONS_RUNNER_CONTAINER_HOOKS", value: "/x" },
      { name: "ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER", value: "false" },
    ),
  ],
])("%s: applied", (_what, change) => {
  const before = goldenPod("dind-sidecar");
  change(before);
  expect(run(before).outcome.result).toBe("applied");
});

test("Pod Security: baseline allows a root init container, restricted does not", () => {
  const settings = { packages: ["curl"] };
  expect(run(goldenPod("default-mode"), settings, "baseline").outcome.result).toBe("applied");
  expect(run(goldenPod("default-mode"), settings, "restricted").outcome).toMatchObject({ reason: "pod-security" });
});

test.each([
  [{ enabled: false, packages: ["curl"] }, "disabled"],
  [{}, "not-configured"],
])("settings %j: %s", (settings, reason) => {
  expect(run(goldenPod("dind-sidecar"), settings).outcome).toMatchObject({ reason });
});

test("parts that another webhook removed are added again, without duplicates", () => {
  const { pod } = run(goldenPod("dind-sidecar"));
  const stripped = structuredClone(pod);
  containerOf(stripped, "runner").command = ["/home/runner/run.sh"];
  const again = run(stripped);
  expect(again.outcome.result).toBe("applied");
  expect(again.pod).toEqual(pod);
});
