import * as z from "zod";
import type { Bundle } from "./bundle.ts";

/** The maximum number of packages in an entry. A ConfigMap holds 1 MiB for all bundles together. */
const maxPackages = 500;

// Unknown fields are ignored: during an upgrade, a new bundle server may write an entry for an old webhook.
const schema = z.object({
  profile: z.string().min(1).max(253),
  image: z.string().min(1).max(1024),
  architecture: z.string().regex(/^[a-z0-9-]{1,32}$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  // The URL becomes part of a pod's command line, as the last of three fields that are separated by spaces.
  url: z
    .string()
    .max(1024)
    .regex(/^http:\/\/[\w.:[\]-]+\/[0-9a-f]{64}\.tar$/),
  settings: z.string().regex(/^[0-9a-f]{64}$/),
  built: z.iso.datetime(),
  bytes: z.int().nonnegative(),
  packages: z.array(z.string().max(512)).max(maxPackages),
});

/** The value of an index entry: one line of JSON. */
export function indexEntry(bundle: Bundle): string {
  return JSON.stringify({ ...bundle, packages: bundle.packages.slice(0, maxPackages) });
}

/**
 * Reads the value of an index entry.
 *
 * @returns the bundle, or a description of the problem
 */
export function parseIndexEntry(text: string): Bundle | { readonly problem: string } {
  const parsed = schema.safeParse(asJson(text));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "entry"}: ${message}`);
    return { problem: problems.join("; ") };
  }
  if (!parsed.data.url.endsWith(`/${parsed.data.sha256}.tar`)) {
    return { problem: "url: it does not end in the sha256 and .tar" };
  }
  return parsed.data;
}

/** Parses JSON. Returns undefined for invalid JSON, which the schema then rejects. */
function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
