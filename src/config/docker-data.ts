import * as z from "zod";
import { quantityValue } from "../pod/quantity.ts";
import * as values from "./values.ts";

const size = values.quantity.refine((text) => quantityValue(text)! >= 2 ** 30, "less than 1Gi is no room for images");

const emptyDir = z
  .strictObject({
    sizeLimit: size
      .optional()
      .describe("The most that Docker's data may take. The kubelet evicts a pod that goes over it; memory ends there."),
    medium: z
      .literal("Memory")
      .optional()
      .describe(
        "`Memory` keeps Docker's data in memory, which counts against the limits of the DinD container. It needs a sizeLimit.",
      ),
  })
  .refine(({ medium, sizeLimit }) => medium === undefined || sizeLimit !== undefined, {
    path: ["sizeLimit"],
    error: "data in memory needs a limit, or one job takes the memory of the node",
  });

const ephemeral = z.strictObject({
  storageClassName: values.objectName
    .optional()
    .describe(
      "The storage class. Default: the cluster's own. **With a class that is not there, pods stay Pending.** It has to provide a disk, of the node or of the network; on NFS overlay does not work.",
    ),
  size: size.describe("The size of the volume."),
});

/** `profiles.NAME.docker.data`. */
export const dockerData = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Set to false to leave Docker's data where it is."),
    emptyDir: emptyDir.optional(),
    ephemeral: ephemeral.optional(),
  })
  .refine(({ emptyDir: one, ephemeral: other }) => one === undefined || other === undefined, {
    path: ["ephemeral"],
    error: "Docker's data is in one volume: an emptyDir or an ephemeral one",
  })
  .prefault({});
