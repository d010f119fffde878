// The kinds of value a configuration is made of, each checked when it is read: what passes here is what dockerd, the
// kubelet and the API server will take.
import { X509Certificate } from "node:crypto";
import * as z from "zod";
import { quantityPattern, quantityValue } from "../pod/quantity.ts";
import { quote } from "./addresses.ts";

const durationUnits: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

// What `meta` says, here and elsewhere, becomes the chart's schema: patterns in the dialect that Helm knows.
export const durationPattern = /^(\d+(\.\d+)?(ms|s|m|h|d))+$/;
const durationInput = z.string("expected a duration like 120s, 50ms or 2m").meta({ pattern: durationPattern.source });

/** A duration like `120s` or `1m30s`, read as milliseconds. */
export function duration(bounds: { min: string; max: string; wholeSeconds?: boolean }) {
  return durationInput.transform((text, context) => {
    const value = milliseconds(text);
    if (value === undefined) {
      context.addIssue(`${quote(text)} is not a duration like 120s, 50ms or 2m`);
      return z.NEVER;
    }
    if (value < milliseconds(bounds.min)! || value > milliseconds(bounds.max)!) {
      context.addIssue(`${quote(text)} is outside ${bounds.min} to ${bounds.max}`);
    } else if (bounds.wholeSeconds && value % 1000 !== 0) {
      context.addIssue(`${quote(text)} is not a whole number of seconds`);
    }
    return value;
  });
}

/** The milliseconds of a duration like `1m30s`; undefined if it is not one. */
export function milliseconds(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g);
  return [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * durationUnits[unit!]!, 0);
}

/** Milliseconds as people write them, in the largest unit that gives a whole number: `90s`, `5m`, `50ms`. */
export function durationText(value: number): string {
  const units = Object.entries(durationUnits).toReversed();
  const [unit, length] = units.find(([, one]) => value >= one && value % one === 0) ?? ["ms", 1];
  return `${value / length}${unit}`;
}

/** A flag for dockerd in one word, `--name` or `--name=value`. The kubelet puts in variables: `$(NAME)`. */
export function extraFlag(ownSettings: Record<string, string>) {
  const inOneWord = /^--([a-z][a-z0-9-]*)(=[^\n\r\0]*)?$/;
  const word = z.string().meta({ pattern: inOneWord.source });
  return word.superRefine((text, context) => {
    const flag = inOneWord.exec(text)?.[1];
    if (!flag) return context.addIssue(`${quote(text)} is not a flag in one word, like --storage-driver=overlay2`);
    if (Object.hasOwn(ownSettings, flag)) context.addIssue(`--${flag} has a setting of its own: ${ownSettings[flag]}`);
  });
}

export const envName = z
  .string()
  .regex(/^(?!\.$|\.\.)[-._a-zA-Z][-._a-zA-Z0-9]*$/, "not a name for an environment variable")
  .meta({ pattern: "^[-._a-zA-Z][-._a-zA-Z0-9]*$" });

/** A text that a container can be given. Numbers and the like have to be quoted, so that it is clear how they are spelled. */
export const plainText = z.string().regex(/^[^\0]*$/, "a NUL cannot be passed on");

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

/** What stands before the path of an image: a registry, with a path if need be, such as `harbor.example.com/hub`. */
export const imagePrefix = z
  .string()
  .refine((text) => prefix.test(text) && /^[^/]*[.:]|^localhost(\/|$)/.test(text), {
    error: ({ input }) => `${quote(input)} is not a registry like harbor.example.com/hub, without a scheme`,
  })
  .meta({ pattern: prefix.source });

/** A Kubernetes quantity; plain numbers are taken as YAML has them. */
export const quantity = z
  .union([z.string(), z.number()], "expected a quantity like 500m, 2 or 4Gi")
  .meta({ pattern: quantityPattern.source })
  .transform(String)
  .refine((text) => quantityValue(text) !== undefined, {
    error: ({ input }) => `${quote(input)} is not a quantity like 500m, 2 or 4Gi`,
  });

/** A namespace, scale set or other name, in which `*` stands for any run of characters. */
export const namePattern = z.string().regex(/^[a-z0-9*]([a-z0-9.*-]*[a-z0-9*])?$/, {
  error: ({ input }) => `${quote(input)} is not a name or a pattern like ml-*`,
});

export const profileName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, "a profile's name is made of lower-case letters, digits, - and .");

/** The name of a container (RFC 1123 label): DinD that is added bears it, and another one would be a refused pod. */
export const containerName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, {
    error: ({ input }) => `${quote(input)} is not a container's name`,
  });

/** The name of a Kubernetes object, a DNS subdomain. No lookahead in these: Helm's schema takes none. */
export const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/, {
    error: ({ input }) => `${quote(input)} is not the name of a Kubernetes object`,
  });

/** A key in one. */
export const dataKey = z.string().regex(/^(\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,251})$/, {
  error: ({ input }) => `${quote(input)} is not a key of a ConfigMap or Secret`,
});

/** An absolute path to a folder, such as can be mounted at and named in a list of paths. */
export const folder = z
  .string()
  .regex(/^(\/[\w.@%+=,~-]+)+$/, { error: ({ input }) => `${quote(input)} is not a folder like /home/runner` });

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Certificates as PEM. What passes can be read by OpenSSL, and so by those who are given it. It is shown to many, so
 * whatever else begins or ends in it is refused, in whatever form a key may come, and never repeated.
 */
export const certificates = z.string().superRefine((text, context) => {
  const blocks = text.match(certificateBlock) ?? [];
  const other = /-----(?:BEGIN|END)(?: ([A-Z0-9 ]{1,40})-----)?/.exec(text.replaceAll(certificateBlock, ""));
  if (other?.[1] === "CERTIFICATE")
    return context.addIssue("a certificate is not whole, or not base64 between BEGIN and END");
  if (other) return context.addIssue(`only certificates belong here, not a ${other[1] ?? "block of another kind"}`);
  if (blocks.length === 0) return context.addIssue("there is no certificate in it (-----BEGIN CERTIFICATE-----)");
  for (const [index, block] of blocks.entries()) {
    if (!isCertificate(block)) context.addIssue(`certificate ${index + 1} of ${blocks.length} cannot be read`);
  }
});

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false; // what is wrong is for the caller to say
  }
}
