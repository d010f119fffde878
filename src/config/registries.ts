// The settings for registries, their mirrors and their certificates.
import * as z from "zod";
import * as addresses from "./addresses.ts";
import * as values from "./values.ts";

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

/** `profiles.NAME.registries`, by the registry's host. */
export const registries = z.record(addresses.registryHost, registry).default({});

const keyOf = z.strictObject({ name: values.objectName, key: values.dataKey.default("ca.crt") });

/** `profiles.NAME.privateCA`. */
export const privateCA = z
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
