// Settings of the images that the kubelet pulls.
import * as z from "zod";
import * as addresses from "./addresses.ts";
import * as values from "./values.ts";

/** `profiles.NAME.images`. */
export const images = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Set to false to leave image names unchanged."),
    mirrors: z
      .record(addresses.registryHost, values.imagePrefix)
      .default({})
      .describe(
        "Mirrors for the images of the runner, DinD and helper containers, keyed by registry host: { docker.io: harbor.example.com/hub }. **The kubelet has no fallback**: if the mirror is down or lacks an image, no runner starts.",
      ),
    pullSecrets: z
      .array(values.objectName)
      .refine((names) => new Set(names).size === names.length, "duplicate Secret")
      .default([])
      .describe("Secrets in the runner's namespace that the kubelet uses to log in to the mirrors (imagePullSecrets)."),
  })
  .prefault({});
