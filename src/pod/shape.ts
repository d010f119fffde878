import { z } from "zod";
import type { Pod } from "./types.ts";

const strings = z.array(z.string()).nullish();
const named = z.looseObject({ name: z.string() });
const map = z.record(z.string(), z.string()).nullish();

const container = z.looseObject({
  name: z.string(),
  image: z.string().nullish(),
  command: strings,
  args: strings,
  restartPolicy: z.string().nullish(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().nullish() })).nullish(),
  envFrom: z.array(z.looseObject({})).nullish(),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).nullish(),
  resources: z.looseObject({}).nullish(),
});

const pod = z.looseObject({
  metadata: z.looseObject({
    name: z.string().nullish(),
    generateName: z.string().nullish(),
    labels: map,
    annotations: map,
  }),
  spec: z.looseObject({
    containers: z.array(container),
    initContainers: z.array(container).nullish(),
    volumes: z.array(named).nullish(),
    nodeSelector: map,
    os: named.nullish(),
  }),
});

/**
 * Whether the parts of a pod that arc-primer reads have the types that Kubernetes gives them; whatever else the object
 * holds does not matter. `null` counts as absent, as the API server takes it.
 */
export function isPod(value: unknown): value is Pod {
  return pod.safeParse(value).success;
}
