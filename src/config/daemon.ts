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
          message: `the request ${request} is greater than the limit ${limit}`,
        });
      }
    }
  });

const addressPool = z
  .strictObject({
    base: addresses.network.describe("The range from which networks are allocated, for example 172.30.0.0/16."),
    size: z.int().min(8).max(30).describe("The prefix length of each network."),
  })
  .refine(({ base, size }) => size >= Number(base.split("/")[1]), {
    path: ["size"],
    error: "a network cannot be larger than its pool",
  });

const keyOfObject = z.strictObject({ name: values.objectName, key: values.dataKey }).optional();

const valueFrom = z
  .strictObject({ secretKeyRef: keyOfObject, configMapKeyRef: keyOfObject })
  .refine(({ secretKeyRef, configMapKeyRef }) => (secretKeyRef === undefined) !== (configMapKeyRef === undefined));

/** The value of an environment variable, or a reference to a Secret or ConfigMap key. */
const envValue = z.union([values.plainText, z.strictObject({ valueFrom })], {
  error:
    "expected a string (put it in quotes), or valueFrom with either secretKeyRef or configMapKeyRef, each { name, key }",
});

/** `profiles.NAME.docker.daemon`. */
export const daemon = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Set to false to turn off all settings in docker.daemon."),
    mtu: z
      .int()
      .min(576)
      .max(65_535)
      .optional()
      .describe("The MTU of Docker's default bridge and of the networks that jobs create."),
    bip: addresses.bridgeAddress
      .optional()
      .describe("The address and the network of the default bridge, for example 172.26.0.1/16."),
    addressPools: z
      .array(addressPool)
      .refine((pools) => new Set(pools.map(({ base }) => base)).size === pools.length, "duplicate address pool")
      .default([])
      .describe("The ranges from which Docker allocates networks, for example [{ base: 172.30.0.0/16, size: 24 }]."),
    extraArgs: z
      .array(
        values.extraFlag({
          "registry-mirror": "use registries",
          "insecure-registry": "use registries, or docker.mirror.insecureRegistries",
          mtu: "use docker.daemon.mtu",
          bip: "use docker.daemon.bip",
          "default-address-pool": "use docker.daemon.addressPools",
          version: "dockerd would exit immediately",
          help: "dockerd would exit immediately",
          validate: "dockerd would exit immediately",
          "config-file": "dockerd rejects settings that are both in a file and in flags",
        }),
      )
      .refine((flags) => new Set(flags).size === flags.length, "duplicate flag")
      .default([])
      .describe("Additional flags for dockerd, each as one string, for example --storage-driver=overlay2."),
    image: values.imageReference
      .optional()
      .describe(
        "The image of the DinD container. It replaces only docker:dind, the image that ARC sets. Any other image is kept.",
      ),
    env: z
      .record(values.envName, envValue)
      .default({})
      .describe(
        "Environment variables for the DinD container. Variables that the container already sets are not changed. Everyone who can read pods can read a literal value, so take passwords from a Secret in the runner's namespace: { valueFrom: { secretKeyRef: { name: proxy, key: url } } }. For a ConfigMap, use configMapKeyRef. The object may be missing.",
      ),
    minApiVersion: z
      .string('expected a version in quotes, like "1.24"')
      .regex(/^1\.(2[4-9]|3\d|4[0-4])$/, "expected a version of Docker's API from 1.24 to 1.44")
      .optional()
      .describe(
        'The lowest API version that dockerd accepts (DOCKER_MIN_API_VERSION), for example "1.24" for clients that Docker 29 rejects as too old.',
      ),
    resources: resources.optional().describe("The resources of the DinD container, if the pod template sets none."),
  })
  .prefault({});
