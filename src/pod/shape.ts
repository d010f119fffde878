import * as z from "zod";
import type { Pod } from "./types.ts";

// Far above what anybody runs, and low enough that no pod can keep the webhook busy: it sees pods before validation does.
const many = 1000;
const name = z.string().max(1024);
const text = z.string().nullish();
const strings = z.array(z.string()).max(many).nullish();
const named = z.looseObject({ name });
const map = z.record(z.string(), z.string()).nullish();

const container = z.looseObject({
  name,
  image: z.string().max(4096).nullish(),
  workingDir: z.string().max(4096).nullish(),
  command: strings,
  args: strings,
  restartPolicy: z.string().nullish(),
  env: z
    .array(z.looseObject({ name, value: z.string().nullish() }))
    .max(many)
    .nullish(),
  envFrom: z.array(z.looseObject({})).max(many).nullish(),
  volumeMounts: z
    .array(z.looseObject({ name, mountPath: z.string().max(4096) }))
    .max(many)
    .nullish(),
  resources: z.looseObject({ limits: z.looseObject({}).nullish(), requests: z.looseObject({}).nullish() }).nullish(),
  securityContext: z
    .looseObject({
      capabilities: z.looseObject({ add: strings, drop: strings }).nullish(),
    })
    .nullish(),
});

const pod = z.looseObject({
  metadata: z.looseObject({
    name: z.string().nullish(),
    generateName: z.string().nullish(),
    labels: map,
    annotations: map,
    ownerReferences: z
      .array(z.looseObject({ kind: text }))
      .max(many)
      .nullish(),
  }),
  spec: z.looseObject({
    containers: z.array(container).max(many),
    initContainers: z.array(container).max(many).nullish(),
    volumes: z.array(named).max(many).nullish(),
    nodeSelector: map,
    os: named.nullish(),
    runtimeClassName: name.nullish(),
    tolerations: z
      .array(z.looseObject({ key: text, value: text }))
      .max(many)
      .nullish(),
    securityContext: z.looseObject({}).nullish(),
  }),
});

/**
 * Whether the parts of a pod that arc-primer reads have the types that Kubernetes gives them; whatever else the object
 * holds does not matter. `null` counts as absent, as the API server takes it. A pod with more than 1,000 of anything is
 * none that we read.
 */
export function isPod(value: unknown): value is Pod {
  return pod.safeParse(value).success;
}
