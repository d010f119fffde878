import * as z from "zod";
import { quantityValue } from "../pod/quantity.ts";
import * as values from "./values.ts";

const size = values.quantity.refine(
  (text) => quantityValue(text)! >= 2 ** 30,
  "must be at least 1Gi, to have room for images",
);

const emptyDir = z
  .strictObject({
    sizeLimit: size
      .optional()
      .describe(
        "The maximum size of Docker's data. The kubelet evicts a pod that exceeds it. In memory, writes fail when the volume is full.",
      ),
    medium: z
      .literal("Memory")
      .optional()
      .describe(
        "`Memory` keeps Docker's data in memory, which counts against the limits of the DinD container. It needs a sizeLimit.",
      ),
  })
  .refine(({ medium, sizeLimit }) => medium === undefined || sizeLimit !== undefined, {
    path: ["sizeLimit"],
    error: "must be set for medium Memory, because one job could otherwise use all memory of the node",
  });

const ephemeral = z.strictObject({
  storageClassName: values.objectName
    .optional()
    .describe(
      "The storage class. Default: the cluster's default class. **If the class does not exist, pods stay Pending.** It must provide a disk, either local or network-attached. NFS does not work, because overlay file systems need a disk.",
    ),
  size: size.describe("The size of the volume."),
});

/** `profiles.NAME.docker.data`. */
export const dockerData = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Set to false to leave the location of Docker's data unchanged."),
    emptyDir: emptyDir.optional(),
    ephemeral: ephemeral.optional(),
  })
  .refine(({ emptyDir: one, ephemeral: other }) => one === undefined || other === undefined, {
    path: ["ephemeral"],
    error: "set either emptyDir or ephemeral, not both",
  })
  .prefault({});
