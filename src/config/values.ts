// Schemas for the types of values in a configuration. dockerd, the kubelet and the API server accept every value that
// passes.
import { X509Certificate } from "node:crypto";
import * as z from "zod";
import { quantityPattern, quantityValue } from "../pod/quantity.ts";
import { quote } from "./addresses.ts";

const durationUnits: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

// The chart's JSON schema is generated from `meta`. Its patterns must use the regular expression syntax of Helm (RE2).
export const durationPattern = /^(\d+(\.\d+)?(ms|s|m|h|d))+$/;
const durationInput = z.string("expected a duration like 120s, 50ms or 2m").meta({ pattern: durationPattern.source });

/** A duration like `120s` or `1m30s`, parsed into milliseconds. */
export function duration(bounds: { min: string; max: string; wholeSeconds?: boolean }) {
  return durationInput.transform((text, context) => {
    const value = milliseconds(text);
    if (value === undefined) {
      context.addIssue(`${quote(text)} is not a duration like 120s, 50ms or 2m`);
      return z.NEVER;
    }
    if (value < milliseconds(bounds.min)! || value > milliseconds(bounds.max)!) {
      context.addIssue(`${quote(text)} is outside the range ${bounds.min} to ${bounds.max}`);
    } else if (bounds.wholeSeconds && value % 1000 !== 0) {
      context.addIssue(`${quote(text)} is not a whole number of seconds`);
    }
    return value;
  });
}

/** Converts a duration like `1m30s` to milliseconds. Undefined if the text is not a duration. */
export function milliseconds(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g);
  return [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * durationUnits[unit!]!, 0);
}

/** Formats milliseconds in the largest unit that gives a whole number: `90s`, `5m`, `50ms`. */
export function durationText(value: number): string {
  const units = Object.entries(durationUnits).toReversed();
  const [unit, length] = units.find(([, one]) => value >= one && value % one === 0) ?? ["ms", 1];
  return `${value / length}${unit}`;
}

/**
 * A flag for dockerd as one string, `--name` or `--name=value`. The kubelet expands `$(NAME)`.
 *
 * @param disallowed the flags that are errors, each with the reason or the setting to use instead
 */
export function extraFlag(disallowed: Record<string, string>) {
  const pattern = /^--([a-z][a-z0-9-]*)(=[^\n\r\0]*)?$/;
  return z
    .string()
    .superRefine((text, context) => {
      const flag = pattern.exec(text)?.[1];
      if (!flag) return context.addIssue(`${quote(text)} is not a flag in the form --name or --name=value`);
      if (Object.hasOwn(disallowed, flag)) context.addIssue(`--${flag} is not allowed here: ${disallowed[flag]}`);
    })
    .meta({ pattern: pattern.source });
}

export const envName = z
  .string()
  .regex(/^(?!\.$|\.\.)[-._a-zA-Z][-._a-zA-Z0-9]*$/, "is not a valid name for an environment variable")
  .meta({ pattern: "^[-._a-zA-Z][-._a-zA-Z0-9]*$" });

/** A string that can be passed to a container. Numbers and booleans must be quoted to be unambiguous. */
export const plainText = z.string().regex(/^[^\0]*$/, "must not contain a NUL character");

const imageHost = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const imagePath = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const image = new RegExp(
  `^((?:${imageHost}(?:\\.${imageHost})*(?::\\d+)?/)?${imagePath}(?:/${imagePath})*)(?::\\w[\\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
);

/** An image reference: `docker:29-dind`, `harbor.example.com:8443/hub/docker:dind@sha256:…` (distribution/reference). */
export const imageReference = z
  .string()
  .superRefine((given, context) => {
    const repository = image.exec(given)?.[1];
    if (!repository || repository.length > 255 || /^[0-9a-f]{64}$/.test(repository)) {
      context.addIssue(`${quote(given)} is not an image reference like docker:29-dind`);
    }
  })
  .meta({ pattern: image.source });

const prefix = new RegExp(`^${imageHost}(?:\\.${imageHost})*(?::\\d+)?(?:/${imagePath})*$`);

/** A prefix for image names: a registry with an optional path, such as `harbor.example.com/hub`. */
export const imagePrefix = z
  .string()
  .refine((text) => prefix.test(text) && /^[^/]*[.:]|^localhost(\/|$)/.test(text), {
    error: ({ input }) => `${quote(input)} is not a registry like harbor.example.com/hub (without https://)`,
  })
  .meta({ pattern: prefix.source });

/** A Kubernetes quantity. Unquoted YAML numbers are accepted. */
export const quantity = z
  .union([z.string(), z.number()], "expected a quantity like 500m, 2 or 4Gi")
  .meta({ pattern: quantityPattern.source })
  .transform(String)
  .refine((text) => quantityValue(text) !== undefined, {
    error: ({ input }) => `${quote(input)} is not a quantity like 500m, 2 or 4Gi`,
  });

/** A pattern for the name of a namespace or scale set. `*` matches any run of characters. */
export const namePattern = z.string().regex(/^[a-z0-9*]([a-z0-9.*-]*[a-z0-9*])?$/, {
  error: ({ input }) => `${quote(input)} is not a valid name or pattern like ml-*`,
});

export const profileName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, "a profile name may contain only lower-case letters, digits, - and .");

/** The name of a container (RFC 1123 label). An added DinD container gets it; the API server rejects other names. */
export const containerName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, {
    error: ({ input }) => `${quote(input)} is not a valid container name`,
  });

/** The name of a Kubernetes object (DNS subdomain). The pattern has no lookahead, because Helm does not support it. */
export const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/, {
    error: ({ input }) => `${quote(input)} is not a valid name for a Kubernetes object`,
  });

/** A key of a ConfigMap or Secret. */
export const dataKey = z.string().regex(/^(\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,251})$/, {
  error: ({ input }) => `${quote(input)} is not a valid key of a ConfigMap or Secret`,
});

/** An absolute path of a directory that is valid as a mountPath and in a colon-separated list of paths. */
export const directory = z.string().regex(/^(\/[\w.@%+=,~-]+)+$/, {
  error: ({ input }) => `${quote(input)} is not a valid directory path like /home/runner`,
});

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Certificates in PEM. OpenSSL can read every value that passes. Everyone who can read pods can read this value, so any
 * other PEM block is rejected, especially private keys. Error messages never repeat the content.
 */
export const certificates = z.string().superRefine((text, context) => {
  const blocks = text.match(certificateBlock) ?? [];
  const other = /-----(?:BEGIN|END)(?: ([A-Z0-9 ]{1,40})-----)?/.exec(text.replaceAll(certificateBlock, ""));
  if (other?.[1] === "CERTIFICATE")
    return context.addIssue("a certificate is incomplete, or is not base64 between BEGIN and END");
  if (other)
    return context.addIssue(`only certificates are allowed here, not a ${other[1] ?? "PEM block of another type"}`);
  if (blocks.length === 0) return context.addIssue("contains no certificate (-----BEGIN CERTIFICATE-----)");
  for (const [index, block] of blocks.entries()) {
    if (!isCertificate(block)) context.addIssue(`certificate ${index + 1} of ${blocks.length} cannot be parsed`);
  }
});

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false; // the caller reports the error
  }
}
