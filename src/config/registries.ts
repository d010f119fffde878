// Settings of registries, their mirrors and their certificates.
import * as z from "zod";
import * as addresses from "./addresses.ts";
import * as values from "./values.ts";

const mirror = z.strictObject({
  url: addresses.mirrorUrl.describe(
    "The mirror's URL, with http:// or https://. A path that contains /v2 is the complete root of the mirror's API. `$(HOST_IP)` is replaced by the node's IP address. This works only for mirrors of docker.io, and only in dockerd.",
  ),
  insecure: z.boolean().default(false).describe("Set to true to accept any certificate of this mirror."),
  privateCA: z
    .boolean()
    .default(false)
    .describe("Set to true if the profile's privateCA signed this mirror's certificate."),
});

const registry = z.strictObject({
  insecure: z
    .boolean()
    .default(false)
    .describe("Set to true to accept any certificate of the registry itself, and plain HTTP."),
  privateCA: z
    .boolean()
    .default(false)
    .describe("Set to true if the profile's privateCA signed the registry's certificate."),
  mirrors: z.array(mirror).default([]).describe("The registry's mirrors. They are tried in this order."),
});

/** `profiles.NAME.registries`, keyed by registry host. */
export const registries = z
  .record(addresses.registryHost, registry)
  .default({})
  .describe(
    "Registries and their mirrors, keyed by registry host, for example docker.io, ghcr.io or harbor.example.com:8443.",
  );

const keyOf = z.strictObject({
  name: values.objectName.describe("The name of the object in the runner's namespace. The object may be missing."),
  key: values.dataKey.default("ca.crt").describe("The key that holds the certificates."),
});

/** `profiles.NAME.privateCA`. */
export const privateCA = z
  .strictObject({
    pem: values.certificates.optional().describe("Private CA certificates, as PEM."),
    configMap: keyOf.optional().describe("A ConfigMap that holds the certificates."),
    secret: keyOf.optional().describe("A Secret that holds the certificates."),
    runner: z
      .boolean()
      .default(false)
      .describe(
        "Set to true to make the runner container itself trust the certificates, not only dockerd, BuildKit and Dagger.",
      ),
  })
  .superRefine(({ pem, configMap, secret }, context) => {
    if ([pem, configMap, secret].filter((source) => source !== undefined).length > 1)
      context.addIssue("set exactly one of pem, configMap and secret");
  });
