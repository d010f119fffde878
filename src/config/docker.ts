// The settings for dockerd and for what has to do with it in the pod.
import * as z from "zod";
import { quantityValue } from "../pod/quantity.ts";
import * as addresses from "./addresses.ts";
import * as values from "./values.ts";

const wait = z
  .strictObject({
    enabled: z.boolean().default(true),
    timeout: values.duration({ min: "1s", max: "1h", wholeSeconds: true }).prefault("120s"),
    interval: values.duration({ min: "10ms", max: "10s" }).prefault("50ms"),
    exitCode: z
      .int()
      .min(1)
      .max(255)
      .refine((code) => code !== 7, "ARC takes exit code 7 for an outdated runner")
      .default(42),
    onTimeout: z.enum(["fail", "start"]).default("fail"),
    keepStartupProbe: z.boolean().default(false),
  })
  .prefault({});

const amounts = z
  .strictObject({
    cpu: values.quantity.optional(),
    memory: values.quantity.optional(),
    "ephemeral-storage": values.quantity.optional(),
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
  .strictObject({ base: addresses.network, size: z.int().min(8).max(30) })
  .refine(({ base, size }) => size >= Number(base.split("/")[1]), {
    path: ["size"],
    error: "the networks cannot be larger than the pool they come from",
  });

const daemon = z
  .strictObject({
    enabled: z.boolean().default(true),
    mtu: z.int().min(576).max(65_535).optional(),
    bip: addresses.bridgeAddress.optional(),
    addressPools: z
      .array(addressPool)
      .refine((pools) => new Set(pools.map(({ base }) => base)).size === pools.length, "a pool is there twice")
      .default([]),
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
      .default([]),
    image: values.imageReference.optional(),
    env: z.record(values.envName, values.plainText).default({}),
    resources: resources.optional(),
  })
  .prefault({});

/** `profiles.NAME.docker`. */
export const docker = z
  .strictObject({
    container: values.containerName.default("dind"),
    wait,
    mirror: z
      .strictObject({
        enabled: z.boolean().default(true),
        insecureRegistries: z.array(addresses.insecureRegistry).default([]),
      })
      .prefault({}),
    hosts: z.strictObject({ enabled: z.boolean().default(true) }).prefault({}),
    imageStore: z.enum(["auto", "containerd"]).default("auto"),
    daemon,
    inject: z.boolean().default(false),
    injected: z
      .strictObject({
        layout: z.enum(["sidecar", "container"]).default("sidecar"),
        rootless: z.boolean().default(false),
      })
      .prefault({}),
    credentials: z
      .strictObject({ enabled: z.boolean().default(true), secret: values.objectName.optional() })
      .prefault({}),
    gracefulEnd: z
      .strictObject({
        enabled: z.boolean().default(true),
        gracePeriod: values.duration({ min: "1s", max: "24h", wholeSeconds: true }).optional(),
      })
      .prefault({}),
  })
  .prefault({});
