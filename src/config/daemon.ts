// Settings of dockerd and its container.
import * as z from "zod";
import { quantityValue } from "../pod/quantity.ts";
import * as addresses from "./addresses.ts";
import * as values from "./values.ts";

const amounts = z
  .strictObject({
    cpu: values.quantity.optional().describe("CPU, as a Kubernetes quantity."),
    memory: values.quantity.optional().describe("Memory, as a Kubernetes quantity."),
    "ephemeral-storage": values.quantity.optional().describe("Local ephemeral storage, as a Kubernetes quantity."),
  })
  .optional();

const resources = z
  .strictObject({ requests: amounts, limits: amounts })
  .superRefine(({ requests, limits }, context) => {
    for (const name of ["cpu", "memory", "ephemeral-storage"] as const) {
      const [request, limit] = [requests?.[name], limits?.[name]];
      if (request !== undefined && limit !== undefined && quantityValue(request)! > quantityValue(limit)!) {
        context.addIssue({
          code: "custom",
          path: ["requests", name],
          message: `${request} is more than the limit, ${limit}`,
        });
      }
    }
  });

const addressPool = z
  .strictObject({
    base: addresses.network.describe("The range that networks come from, 172.30.0.0/16."),
    size: z.int().min(8).max(30).describe("The prefix length of each network."),
  })
  .refine(({ base, size }) => size >= Number(base.split("/")[1]), {
    path: ["size"],
    error: "the networks cannot be larger than the pool they come from",
  });

const keyOfObject = z.strictObject({ name: values.objectName, key: values.dataKey }).optional();

const valueFrom = z
  .strictObject({ secretKeyRef: keyOfObject, configMapKeyRef: keyOfObject })
  .refine(({ secretKeyRef, configMapKeyRef }) => (secretKeyRef === undefined) !== (configMapKeyRef === undefined));

/** The value of an environment variable, or a reference to a Secret or ConfigMap key. */
const envValue = z.union([values.plainText, z.strictObject({ valueFrom })], {
  error:
    "expected a string: put it in quotes; or valueFrom with one of secretKeyRef and configMapKeyRef, each { name, key }",
});

/** `profiles.NAME.docker.daemon`. */
export const daemon = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Set to false to switch all of docker.daemon off."),
    mtu: z
      .int()
      .min(576)
      .max(65_535)
      .optional()
      .describe("The MTU of Docker's default bridge and of the networks that jobs create."),
    bip: addresses.bridgeAddress.optional().describe("The default bridge's address and network, 172.26.0.1/16."),
    addressPools: z
      .array(addressPool)
      .refine((pools) => new Set(pools.map(({ base }) => base)).size === pools.length, "a pool is there twice")
      .default([])
      .describe("The ranges that Docker takes networks from: [{ base: 172.30.0.0/16, size: 24 }]."),
    extraArgs: z
      .array(
        values.extraFlag({
          "registry-mirror": "registries",
          "insecure-registry": "registries, or docker.mirror.insecureRegistries",
          mtu: "docker.daemon.mtu",
          bip: "docker.daemon.bip",
          "default-address-pool": "docker.daemon.addressPools",
          version: "none, because dockerd ends after it",
          help: "none, because dockerd ends after it",
          validate: "none, because dockerd ends after it",
          "config-file": "none, because a file and flags exclude each other",
        }),
      )
      .refine((flags) => new Set(flags).size === flags.length, "a flag is there twice")
      .default([])
      .describe("More flags for dockerd, each in one word: --storage-driver=overlay2."),
    image: values.imageReference
      .optional()
      .describe("Replaces exactly docker:dind, the image that ARC writes. Another image of the pod stays."),
    env: z
      .record(values.envName, envValue)
      .default({})
      .describe(
        "Environment variables for the DinD container, where it does not set them. Everyone who may read pods can read a text, so take passwords from a Secret in the runner's namespace: { valueFrom: { secretKeyRef: { name: proxy, key: url } } }, or configMapKeyRef. The object may be missing.",
      ),
    minApiVersion: z
      .string('expected a version in quotes, like "1.24"')
      .regex(/^1\.(2[4-9]|3\d|4[0-4])$/, "expected a version of Docker's API from 1.24 to 1.44")
      .optional()
      .describe(
        'The oldest API version that dockerd accepts (DOCKER_MIN_API_VERSION), for clients that Docker 29 refuses as too old: "1.24".',
      ),
    resources: resources.optional().describe("Resources for the DinD container, where it has none."),
  })
  .prefault({});
