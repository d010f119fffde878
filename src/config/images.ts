// Settings of the images that the kubelet pulls.
import * as z from "zod";
import * as addresses from "./addresses.ts";
import * as values from "./values.ts";

/** `profiles.NAME.images`. */
export const images = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Set to false to leave the names of images as they are."),
    mirrors: z
      .record(addresses.registryHost, values.imagePrefix)
      .default({})
      .describe(
        "Mirrors for the images of the runner, DinD and helper containers, by the registry's host: { docker.io: harbor.example.com/hub }. **The kubelet has no fallback**: if the mirror is down or lacks an image, no runner starts.",
      ),
    pullSecrets: z
      .array(values.objectName)
      .refine((names) => new Set(names).size === names.length, "a Secret is there twice")
      .default([])
      .describe("Secrets in the runner's namespace with which the kubelet logs in to the mirrors (imagePullSecrets)."),
  })
  .prefault({});
