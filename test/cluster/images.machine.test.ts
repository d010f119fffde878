import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clusterCache } from "../support/tools.ts";
import { createNamespace, get, list, logs, until } from "./support/kube.ts";
import type { Resource } from "./support/kube.ts";
import { fill, nodeMirror, startNodeMirror } from "./support/mirror.ts";
import { ended, runnerPod } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import { installWebhook, refuseIfInstalled, servingCertificate, uninstall } from "./support/stack.ts";

// The kubelet's own pulls through a mirror, as the mirror's log shows. The mirror listens on the node's loopback address,
// for which containerd uses plain HTTP by default. The node has no internet access, so Docker Hub cannot be reached.

const address = nodeMirror.address;
const paths = { dind: "hub/library/docker", runner: "ghcr/actions/actions-runner" };

interface Event extends Resource {
  reason: string;
  message: string;
  involvedObject: { name: string };
}

interface Started {
  spec: RunnerPod["spec"];
  status: { containerStatuses: { name: string; imageID: string }[] };
}

let installing = false;

describe.runIf(process.env["CLUSTER_PROVIDER"] === "bare")(
  "images that the kubelet pulls",
  { timeout: 300_000 },
  () => {
    beforeAll(async () => {
      await refuseIfInstalled();
      installing = true;
      await startNodeMirror();
      const folder = join(clusterCache, "images");
      await fill(
        [
          { archive: join(folder, "dind.tar"), as: `${paths.dind}:dind` },
          { archive: join(folder, "runner.tar"), as: `${paths.runner}:latest` },
        ],
        nodeMirror,
      );
      await installWebhook(JSON.stringify(configuration()), await servingCertificate());
      for (const name of ["images-mirrored", "images-missing"]) await createNamespace(name);
    }, 600_000);
    afterAll(async () => {
      if (installing) await uninstall();
    }, 180_000);

    test("come from the mirror, as its log shows, and not from Docker Hub and ghcr.io", async () => {
      const pod = await runnerPod("mirrored", "images-mirrored", "docker version && echo the job");
      const { exitCode, log } = await ended(pod, 240);
      expect({ exitCode, log }).toMatchObject({ exitCode: 0, log: expect.stringContaining("the job") });

      const answered = await logs(nodeMirror.namespace, nodeMirror.pod, "registry");
      for (const path of Object.values(paths)) {
        expect(answered).toMatch(new RegExp(`"(GET|HEAD) /v2/${path}/manifests/\\S+ HTTP/[\\d.]+" 200 `));
      }
      const { spec, status } = await get<Started>("Pod", "images-mirrored", "mirrored");
      const names = [...(spec.initContainers ?? []), ...spec.containers].map(({ image = "" }) => image);
      expect(names.filter((name) => !name.startsWith(`${address}/`))).toEqual([]);
      expect(status.containerStatuses.map(({ imageID }) => imageID)).toEqual([expect.stringContaining(paths.runner)]);
      const pulls = await pullEvents("images-mirrored", "mirrored");
      expect(pulls.length).toBeGreaterThan(0);
      expect(pulls.filter((message) => !message.includes(`"${address}/`))).toEqual([]);
    });

    test("without a fallback: if the mirror lacks an image, the pod does not start, as the docs say", async () => {
      await runnerPod("missing", "images-missing", "echo the job");
      await until("the failed pull", 120, async () =>
        (await pullEvents("images-missing", "missing")).some((message) => message.includes("Failed to pull image")),
      );
      const { status } = await get<RunnerPod>("Pod", "images-missing", "missing");
      expect(status?.phase).toBe("Pending");
    });
  },
);

/** The messages of the kubelet's events about its pulls for a pod. */
async function pullEvents(namespace: string, pod: string): Promise<string[]> {
  const events = await list<Event>("Event", namespace);
  return events
    .filter(({ involvedObject, reason }) => involvedObject.name === pod && /^(Pulling|Pulled|Failed)$/.test(reason))
    .map(({ message }) => message)
    .filter((message) => /image/i.test(message));
}

function configuration(): object {
  const mirrors = { "docker.io": `${address}/hub`, "ghcr.io": `${address}/ghcr` };
  return {
    apiVersion: "arc-primer.dev/v1alpha1",
    kind: "PrimerConfiguration",
    profiles: {
      default: { images: { mirrors } },
      missing: { images: { mirrors: { "docker.io": `${address}/empty`, "ghcr.io": `${address}/empty` } } },
    },
    rules: [{ namespaces: ["images-missing"], profile: "missing" }],
  };
}
