import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createNamespace, get, remove, until } from "./support/kube.ts";
import { containerNamed, ended, runnerPod } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import {
  installRegistry,
  installWebhook,
  pullImages,
  refuseIfInstalled,
  servingCertificate,
  uninstall,
} from "./support/stack.ts";

// Features that may differ between versions of Kubernetes or Docker: the layouts of runner pods, and image volumes. These are
// the node tests that also run on the older Kubernetes (`KUBERNETES=1.34 … -- machine layouts`).

const runner = "ghcr.io/actions/actions-runner";
const pull = "docker pull --quiet hello:1 || exit 9\ndocker run --rm hello:1 || exit 8";
const done = /ready to start after \d+\.\d\d s\n[^]*hello from the registry\n$/;
let installing = false;

beforeAll(async () => {
  await refuseIfInstalled();
  installing = true;
  await pullImages();
  const { address } = await installRegistry();
  const configuration = {
    apiVersion: "arc-primer.dev/v1alpha1",
    kind: "PrimerConfiguration",
    profiles: {
      default: { registries: { "docker.io": { mirrors: [{ url: `http://${address}` }] } }, docker: { inject: true } },
      volume: { extends: "default", docker: { externals: "volume" } },
      memory: { extends: "default", docker: { externals: "memory" } },
    },
    rules: [{ profile: "default", allowedProfiles: ["volume", "memory"] }],
  };
  await installWebhook(JSON.stringify(configuration), await servingCertificate());
  await createNamespace("layouts");
}, 900_000);
afterAll(async () => {
  if (installing) await uninstall();
});

describe("a primed pod pulls from the mirror and runs a container", () => {
  // In dind-tls, the DinD container has no args: its entrypoint creates certificates and adds the default hosts.
  test.each(["dind-sidecar", "dind-container", "dind-tls", "default-mode"] as const)(
    "with the layout %s",
    async (layout) => {
      const { exitCode, log } = await ended(await runnerPod(layout, "layouts", pull, { layout }), 90);
      expect(log).toMatch(done);
      expect(exitCode).toBe(0);
    },
  );

  test.each([
    ["a daemon of Docker 20.10", "dind", "docker:20.10-dind", /^server 20\.10\./m],
    ["a client of Docker 20.10", "runner", `${runner}:slim`, /^client 20\.10\./m],
  ])("with %s, and the other one from Docker 29", async (_what, name, image, said) => {
    const versions = "docker version --format 'server {{.Server.Version}}\nclient {{.Client.Version}}'";
    const pod = await runnerPod(`old-${name}`, "layouts", `${versions}\n${pull}`, {
      change: (created) => (containerNamed(created, name).image = image),
    });
    const { exitCode, log } = await ended(pod, 90);
    expect(log).toMatch(said);
    expect(log).toMatch(/^(client|server) 29\./m);
    expect(log).toMatch(done);
    expect(exitCode).toBe(0);
  });
});

describe("the runner's Node.js in job containers", () => {
  // A job container as the runner creates it (actions/runner, ContainerOperationProvider and DockerCommandManager). The
  // externals are mounted from Docker's point of view. The image has the libraries that Node.js needs, but no Node.js.
  const job = `
programs="/bin/sh /usr/bin/tail"
tar -chf - $programs $(ldd $programs /home/runner/externals/node24/bin/node | grep -o '/[^ )]*' | grep -v :$ | sort -u) | docker import - job:1 > /dev/null
work=/home/runner/_work
mkdir -p $work/_temp/_github_home $work/_temp/_github_workflow $work/_actions $work/_tool $work/repo/repo
echo 'console.log("an action runs on", process.version, "in", process.cwd())' > $work/_actions/index.js
docker network create --label 4f3ee2 github_network_1 > /dev/null
id=$(docker create --name job_1 --label 4f3ee2 --workdir /__w/repo/repo --network github_network_1 \
  -e "HOME=/github/home" -e GITHUB_ACTIONS=true -e CI=true \
  -v "/var/run/docker.sock":"/var/run/docker.sock" -v "$work":"/__w" -v "/home/runner/externals":"/__e":ro \
  -v "$work/_temp":"/__w/_temp" -v "$work/_actions":"/__w/_actions" -v "$work/_tool":"/__t" \
  -v "$work/_temp/_github_home":"/github/home" -v "$work/_temp/_github_workflow":"/github/workflow" \
  --entrypoint "tail" job:1 "-f" "/dev/null")
docker start $id > /dev/null
docker exec -i --workdir /__w/repo/repo $id /__e/node24/bin/node /__w/_actions/index.js
docker exec $id sh -c 'echo > /__e/written' || echo the externals are read-only
docker rm --force $id > /dev/null`;

  const withProfile = (profile: string) => (pod: RunnerPod) => {
    pod.metadata.annotations = { ...pod.metadata.annotations, "arc-primer.dev/profile": profile };
  };

  test.each(["default", "volume", "memory"])("runs an action, with the profile %s", async (profile) => {
    const pod = await runnerPod(`externals-${profile}`, "layouts", job, { change: withProfile(profile) });
    const copies = pod.spec.initContainers?.some(({ name }) => name === "init-dind-externals");
    expect(copies).toBe(profile !== "volume");
    const { exitCode, log } = await ended(pod, 120);
    expect(log).toMatch(/\nan action runs on v24\.\S+ in \/__w\/repo\/repo\n/);
    expect(log).toMatch(/\nthe externals are read-only\n$/);
    expect(exitCode).toBe(0);
  });

  test("if the image lacks the directory, containerd does not mount it, and the pod's status names it", async () => {
    const pod = await runnerPod("externals-missing", "layouts", "echo started", {
      change: (created) => {
        withProfile("volume")(created);
        containerNamed(created, "init-dind-externals").image = "docker:dind";
      },
    });
    const { name } = pod.metadata;
    const read = async () => JSON.stringify((await get<RunnerPod>("Pod", "layouts", name)).status);
    await until("the error", 60, async () => (await read())?.includes("CreateContainerError"));
    expect(await read()).toMatch(/image subpath .{1,4}home\/runner\/externals/);
    await remove(pod, 0);
  });
});
