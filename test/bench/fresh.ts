// A part of npm run bench:start: the start time of runner pods on a node that has none of their images, and pulls them from a
// registry on the same machine. Requires the provider `bare`. Settings (and defaults): BENCH_FRESH (3) pods of each kind.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { clusterScript } from "../cluster/support/script.ts";
import { createNamespace } from "../cluster/support/kube.ts";
import { fill, nodeMirror, startNodeMirror } from "../cluster/support/mirror.ts";
import { installWebhook, refuseIfInstalled, servingCertificate, uninstall } from "../cluster/support/stack.ts";
import { clusterCache } from "../support/tools.ts";
import type { Kind } from "./start/kinds.ts";
import { measure, namespace } from "./start/measure.ts";
import type { Start } from "./start/times.ts";
import { machine } from "./support/machine.ts";
import { median, page, table } from "./support/page.ts";

const pods = Number(process.env["BENCH_FRESH"] ?? 3);
const mirrors = { "docker.io": `${nodeMirror.address}/hub`, "ghcr.io": `${nodeMirror.address}/ghcr` };
const kinds: readonly Kind[] = [
  {
    name: "stock",
    change({ spec }) {
      for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
        container.image = fromMirror(container.image);
      }
    },
  },
  { name: "primed, images from a mirror", profile: "default" },
  { name: "primed, images from a mirror, externals as a volume", profile: "volume" },
];

if (process.env["CLUSTER_PROVIDER"] !== "bare") throw new Error("this benchmark needs CLUSTER_PROVIDER=bare");
const noted = machine();
await refuseIfInstalled();
try {
  await fillMirror();
  await installWebhook(JSON.stringify(configuration()), await servingCertificate());
  await createNamespace(namespace);
  await write(await start());
} finally {
  await uninstall();
}

/** Starts pods one at a time, alternating between the kinds. */
async function start(): Promise<Start[]> {
  const starts: Start[] = [];
  for (let round = 0; round < pods; round += 1) {
    for (const [index, kind] of kinds.entries()) {
      clusterScript("bare/forget-images.sh");
      spawnSync("sync");
      starts.push(...(await measure(kind, [`fresh-${index}-${round}`])));
      process.stderr.write(`fresh node, ${kind.name}: ${starts.at(-1)!.total.toFixed(2)} s\n`);
    }
  }
  return starts;
}

function fromMirror(image = ""): string {
  return image.startsWith("ghcr.io/")
    ? image.replace("ghcr.io", mirrors["ghcr.io"])
    : `${mirrors["docker.io"]}/library/${image}`;
}

function configuration(): object {
  const profiles = {
    default: { images: { mirrors } },
    volume: { extends: "default", docker: { externals: "volume" } },
  };
  const rules = [{ profile: "default", allowedProfiles: ["volume"] }];
  return { apiVersion: "arc-primer.dev/v1alpha1", kind: "PrimerConfiguration", profiles, rules };
}

/** Starts a registry on the node with the images of the runner pod. */
async function fillMirror(): Promise<void> {
  await startNodeMirror();
  const archive = (name: string) => join(clusterCache, "images", `${name}.tar`);
  const contents = [
    { archive: archive("dind"), as: "hub/library/docker:dind" },
    { archive: archive("runner"), as: "ghcr/actions/actions-runner:latest" },
  ];
  await fill(contents, nodeMirror);
}

/** Writes docs/benchmarks/fresh-node.md. */
async function write(starts: readonly Start[]): Promise<void> {
  const seconds = (value: number) => value.toFixed(1);
  await page("fresh-node", "A start on a fresh node", "npm run bench:start", noted(), [
    `The table shows the seconds from the request that creates a pod to the first line of \`run.sh\`. The node has none of the pod's images. It pulls them from a registry on the same machine: 0.5 GB for DinD and 1.1 GB for the runner, before compression. Both images are stand-ins ([how they differ](../contributing/test-bed.md)), so GitHub's and Docker's own images take another time. ${pods} pods of each kind were started, alternating between the kinds. All kinds, including the stock pod, pull from the same registry. So the table compares what happens on the node. It does not show the benefit of a mirror that is closer than the original registry. See also [the start time on a node that has the images](start.md).`,
    table(
      ["kind", "median", "fastest", "slowest"],
      [...Map.groupBy(starts, ({ kind }) => kind)].map(([kind, group]) => {
        const totals = group.map(({ total }) => total);
        return [kind, seconds(median(totals)), seconds(Math.min(...totals)), seconds(Math.max(...totals))];
      }),
    ),
    "Nearly all of the time is spent on pulling and unpacking the images. The image volume needs no additional image, because the pod pulls the runner's image anyway.",
  ]);
}
