import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createNamespace } from "./support/kube.ts";
import { kubectlPrints } from "./support/release.ts";
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

// What may differ from one Kubernetes, or one Docker, to another: how a runner pod is laid out, and image volumes. This is
// the part of the node's tests that the older Kubernetes runs (`KUBERNETES=1.34 … -- machine layouts`).

const runner = "ghcr.io/actions/actions-runner";
const job = "docker pull --quiet hello:1 || exit 9\ndocker run --rm hello:1 || exit 8";
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
    },
  };
  await installWebhook(JSON.stringify(configuration), await servingCertificate());
  await createNamespace("layouts");
}, 900_000);
afterAll(async () => {
  if (installing) await uninstall();
});

describe("a primed pod pulls from the mirror and runs a container", () => {
  // Of dind-tls the DinD container has no args: its entry point makes certificates and adds the default hosts.
  test.each(["dind-sidecar", "dind-container", "dind-tls", "default-mode"] as const)(
    "laid out as %s",
    async (layout) => {
      const { exitCode, log } = await ended(await runnerPod(layout, "layouts", job, { layout }), 90);
      expect(log).toMatch(done);
      expect(exitCode).toBe(0);
    },
  );

  test.each([
    ["a daemon of Docker 20.10", "dind", "docker:20.10-dind", /^server 20\.10\./m],
    ["a client of Docker 20.10", "runner", `${runner}:slim`, /^client 20\.10\./m],
  ])("with %s beside today's", async (_what, name, image, said) => {
    const versions = "docker version --format 'server {{.Server.Version}}\nclient {{.Client.Version}}'";
    const pod = await runnerPod(`old-${name}`, "layouts", `${versions}\n${job}`, {
      change: (created) => (containerNamed(created, name).image = image),
    });
    const { exitCode, log } = await ended(pod, 90);
    expect(log).toMatch(said);
    expect(log).toMatch(/^(client|server) 29\./m);
    expect(log).toMatch(done);
    expect(exitCode).toBe(0);
  });
});

describe("the runner's Node for containers of jobs", () => {
  // Where the job's containers find it, in DinD's file system; and a program of it runs there.
  const look =
    "docker pull --quiet hello:1; docker run --rm -v /home/runner/externals:/__e:ro hello:1 ls /__e/node24/bin";
  const waiting = `${look}\ntouch /tmp/looked; while [ ! -f /home/runner/_work/go-on ]; do sleep 0.1; done`;

  test("is copied, by the pod as ARC makes it", async () => {
    const { version, log } = await nodeIn(await runnerPod("copied", "layouts", waiting));
    expect(version).toMatch(/^v24\./);
    expect(log).toMatch(/\nnode\nnpm\nnpx\n/);
  });

  test("comes without a copy, where the image is mounted as a volume", async () => {
    const change = ({ spec }: RunnerPod) => {
      const pod = { spec } as RunnerPod;
      const mount = containerNamed(pod, "dind").volumeMounts?.find((one) => one.name === "dind-externals");
      Object.assign(mount ?? {}, { subPath: "home/runner/externals", readOnly: true });
      spec.initContainers = (spec.initContainers ?? []).filter((one) => one.name !== "init-dind-externals");
      const image = { reference: `${runner}:latest`, pullPolicy: "IfNotPresent" };
      spec.volumes = (spec.volumes ?? []).map((one) =>
        one.name === "dind-externals" ? { name: one.name, image } : one,
      );
    };
    const { version, log } = await nodeIn(await runnerPod("mounted", "layouts", waiting, { change }));
    expect(version).toMatch(/^v24\./);
    expect(log).toMatch(/\nnode\nnpm\nnpx\n/);
  });
});

/** What its Node says of itself, run in the DinD container while the job lasts; then the job's own log. */
async function nodeIn(pod: RunnerPod): Promise<{ version: string; log: string }> {
  const { name } = pod.metadata;
  const exec = (container: string, ...command: string[]) =>
    kubectlPrints(["exec", "-n", "layouts", name, "-c", container, "--", ...command]);
  kubectlPrints(["wait", "-n", "layouts", `pod/${name}`, "--for=condition=Ready", "--timeout=90s"]);
  const version = exec("dind", "/home/runner/externals/node24/bin/node", "--version");
  exec("dind", "touch", "/home/runner/_work/go-on");
  return { version, log: (await ended(pod, 90)).log };
}
