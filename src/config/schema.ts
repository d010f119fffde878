import { z } from "zod";
import * as addresses from "./addresses.ts";
import { prerequisites } from "./prerequisites.ts";
import * as values from "./values.ts";

// The closed schema of the configuration file. A profile is checked as it is written, and once more after `extends`
// has merged it with its base; defaults come in last, so they never override a base.

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
      if (
        request !== undefined &&
        limit !== undefined &&
        values.quantityValue(request)! > values.quantityValue(limit)!
      ) {
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

const enabled = z.strictObject({ enabled: z.boolean().default(true) }).prefault({});

const docker = z
  .strictObject({
    container: z.string().min(1).default("dind"),
    wait,
    mirror: z
      .strictObject({
        enabled: z.boolean().default(true),
        insecureRegistries: z.array(addresses.insecureRegistry).default([]),
      })
      .prefault({}),
    hosts: enabled,
    imageStore: z.enum(["auto", "containerd"]).default("auto"),
    daemon,
  })
  .prefault({});

const mirror = z.strictObject({
  url: addresses.mirrorUrl,
  insecure: z.boolean().default(false),
  privateCA: z.boolean().default(false),
});

const registry = z.strictObject({
  insecure: z.boolean().default(false),
  privateCA: z.boolean().default(false),
  mirrors: z.array(mirror).default([]),
});

const keyOf = z.strictObject({ name: values.objectName, key: values.dataKey.default("ca.crt") });

const privateCA = z
  .strictObject({
    pem: values.certificates.optional(),
    configMap: keyOf.optional(),
    secret: keyOf.optional(),
    runner: z.boolean().default(false),
  })
  .superRefine(({ pem, configMap, secret }, context) => {
    if ([pem, configMap, secret].filter((source) => source !== undefined).length > 1)
      context.addIssue("the certificates come from one of pem, configMap and secret");
  });

export const profileSchema = z.strictObject({
  extends: values.profileName.optional(),
  enabled: z.boolean().default(true),
  runner: z
    .strictObject({
      container: z.string().min(1).default("runner"),
      home: values.folder.optional(),
      command: z
        .array(values.plainText)
        .min(1)
        .refine(([program]) => program !== "", "the first word is the program to run")
        .optional(),
    })
    .prefault({}),
  docker,
  prerequisites,
  registries: z.record(addresses.registryHost, registry).default({}),
  privateCA: privateCA.optional(),
  buildkit: enabled,
  dagger: enabled,
});

const rule = z.strictObject({
  namespaces: z.array(values.namePattern).min(1).default(["*"]),
  scaleSets: z.array(values.namePattern).min(1).default(["*"]),
  profile: values.profileName,
  allowedProfiles: z.array(values.profileName).default([]),
});

/** By this a configuration file says what it is. */
export const configHead = { apiVersion: "arc-primer.dev/v1alpha1", kind: "PrimerConfiguration" } as const;

export const configSchema = z.strictObject({
  apiVersion: z.literal(configHead.apiVersion),
  kind: z.literal(configHead.kind),
  mode: z.enum(["enforce", "audit"]).default("enforce"),
  profiles: z.record(values.profileName, profileSchema).default({}),
  rules: z.array(rule).default([]),
});

/** A profile with everything decided: its base merged in, defaults filled in, durations in milliseconds. */
export type Profile = Omit<z.output<typeof profileSchema>, "extends"> & { readonly name: string };
export type Rule = z.output<typeof rule>;

/** The configuration in force: read once, frozen, every reference in it resolved. `profiles` always has `default`. */
export interface Config {
  readonly mode: "enforce" | "audit";
  readonly profiles: Readonly<Record<string, Profile>>;
  readonly rules: readonly Rule[];
}
