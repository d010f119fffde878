import * as z from "zod";
import type { Bundle } from "./bundle.ts";

/** More packages than that are left out of an entry: a ConfigMap holds 1 MiB, for all bundles together. */
const mostPackages = 500;

// Open to fields of later versions: during an upgrade, a new bundle server writes for an old webhook.
const schema = z.object({
  profile: z.string().min(1).max(253),
  image: z.string().min(1).max(1024),
  architecture: z.string().regex(/^[a-z0-9-]{1,32}$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  // It goes into a pod's command line, as the last of three fields with one space between them.
  url: z
    .string()
    .max(1024)
    .regex(/^http:\/\/[\w.:[\]-]+\/[0-9a-f]{64}\.tar$/),
  settings: z.string().regex(/^[0-9a-f]{64}$/),
  built: z.iso.datetime(),
  bytes: z.int().nonnegative(),
  packages: z.array(z.string().max(512)).max(mostPackages),
});

/** The value of an index entry: one line of JSON. */
export function indexEntry(bundle: Bundle): string {
  return JSON.stringify({ ...bundle, packages: bundle.packages.slice(0, mostPackages) });
}

/**
 * Reads the value of an index entry.
 *
 * @returns the bundle, or what is wrong with the text
 */
export function parseIndexEntry(text: string): Bundle | { readonly problem: string } {
  const parsed = schema.safeParse(asJson(text));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "entry"}: ${message}`);
    return { problem: problems.join("; ") };
  }
  if (!parsed.data.url.endsWith(`/${parsed.data.sha256}.tar`)) {
    return { problem: "url: it does not end in the sha256" };
  }
  return parsed.data;
}

/** Undefined, which is no entry, if it is no JSON. */
function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
