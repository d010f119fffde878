// Settings of packages. These values are command-line arguments of apt. Only the administrator's own script is
// interpreted by a shell.
import * as z from "zod";
import { escapeForKubelet } from "../pod/expansion.ts";
import { quantityValue } from "../pod/quantity.ts";
import { hostIpReference } from "../registries/endpoint.ts";
import { mirrorUrl, quote } from "./addresses.ts";
import * as values from "./values.ts";

// Debian policy 5.6.1 and 5.6.12. With a trailing -, apt would remove the package; * in a version is apt's wildcard.
const packageName = /^[a-z0-9][a-z0-9+.-]*[a-z0-9+.](:[a-z0-9]+(-[a-z0-9]+)*)?(=[A-Za-z0-9.+:~*-]*[A-Za-z0-9.+~*])?$/;

/** `curl`, `python3:any`, `git=1:2.39*`. */
const packages = z
  .array(
    z
      .string()
      .refine((text) => packageName.test(text), {
        error: ({ input }) => `${quote(input)} is not a package like curl or git=1:2.39*`,
      })
      .meta({ pattern: packageName.source }),
  )
  .max(500)
  .refine((all) => new Set(all.map(nameOf)).size === all.length, "duplicate package")
  .default([])
  .describe(
    'Packages to install with apt, optionally with a version: [curl, "git=1:2.39*"]. Packages that are already installed are not changed.',
  );

function nameOf(text: string): string {
  return text.split("=")[0]!;
}

/** A URL for apt, passed on unchanged. */
const url = mirrorUrl.refine(
  (text) => !text.includes(hostIpReference),
  `${hostIpReference} is allowed only for registry mirrors`,
);

const word = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/+-]*$/, {
  error: ({ input }) => `${quote(input)} is not a name that apt accepts`,
});

/** A suite like `bookworm`. For a repository without suites, a path that ends in a slash. */
const suite = z.string().regex(/^[A-Za-z0-9./][A-Za-z0-9._/+-]*$/, {
  error: ({ input }) => `${quote(input)} is neither a suite like bookworm nor a path like ./`,
});

const armoredKey = z
  .string()
  .regex(/^-----BEGIN PGP PUBLIC KEY BLOCK-----\n[\t\n -~]*\n-----END PGP PUBLIC KEY BLOCK-----\s*$/, {
    error:
      "expected an ASCII-armoured public key, from -----BEGIN PGP PUBLIC KEY BLOCK----- to -----END PGP PUBLIC KEY BLOCK-----",
  })
  .refine(fitsArgument, "must not be larger than 120 KiB, the limit for one command-line argument");

const source = z
  .strictObject({
    url: url.describe("The repository's URL."),
    suites: z.array(suite).min(1).describe("The suites, for example bookworm, or a path that ends in a slash."),
    components: z
      .array(word)
      .default([])
      .describe("The components, for example main. For a repository without components, use the suite `./`."),
    architectures: z.array(word).default([]).describe("The architectures. Default: the image's architecture."),
    signedBy: armoredKey.optional().describe("The public key that the repository is signed with, ASCII-armoured."),
    trusted: z.boolean().default(false).describe("Set to true to skip the signature check."),
  })
  .superRefine(({ suites, components, signedBy, trusted }, context) => {
    const flat = suites.filter((name) => name.endsWith("/")).length;
    if (flat > 0 && (flat < suites.length || components.length > 0)) {
      context.addIssue("a suite that ends in / is for a repository without components; use a separate source for it");
    } else if (flat === 0 && components.length === 0) {
      context.addIssue("components are missing, like [main]; for a repository without components, use the suite ./");
    }
    if (trusted === (signedBy !== undefined)) {
      context.addIssue("set either signedBy, or trusted: true to skip the signature check");
    }
  });

const mirrors = z
  .record(url, url)
  .default({})
  .describe(
    "Mirrors of the image's own package sources. Each key is a URL in sources.list, and its value is the URL to use instead.",
  );

/** Linux limits one argument to 128 KiB (MAX_ARG_STRLEN). The limit applies after `$` is escaped for the kubelet. */
function fitsArgument(text: string): boolean {
  return new TextEncoder().encode(escapeForKubelet(text)).length <= 120 * 1024;
}

/** `profiles.NAME.prerequisites`. */
export const prerequisites = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Set to false to install nothing."),
    packages,
    apt: z
      .strictObject({
        proxy: url.optional().describe("A proxy for apt, for example http://apt-cache:3142."),
        mirrors,
        keep: z
          .boolean()
          .default(false)
          .describe(
            "Set to true to keep the proxy and the mirrors, so that `apt-get` in the job's own steps uses them.",
          ),
        sources: z
          .array(source)
          .max(50)
          .default([])
          .describe("Additional package repositories, used only for this installation."),
      })
      .prefault({}),
    script: values.plainText
      .min(1)
      .refine(fitsArgument, "must not be larger than 120 KiB, the limit for one command-line argument")
      .optional()
      .describe(
        "**Your own script**, which runs as root after the packages are installed. It is a shell script unless it starts with `#!`. Everyone who can read pods can read it.",
      ),
    onFailure: z
      .enum(["warn", "fail"])
      .default("warn")
      .describe(
        "What to do if the installation fails: `warn` logs the failure and starts the runner, `fail` does not start the runner.",
      ),
    timeout: values
      .duration({ min: "10s", max: "1h", wholeSeconds: true })
      .prefault("5m")
      .describe("The time limit for the installation."),
    sizeLimit: values.quantity
      .refine((text) => quantityValue(text)! >= 2 ** 26, "must be at least 64Mi, to have room for packages")
      .prefault("2Gi")
      .describe(
        "The size of the volume that passes the packages to the runner container. Up to nine tenths of it are used.",
      ),
  })
  // etcd limits a whole pod to 1.5 MiB.
  .refine(
    (all) => JSON.stringify(all).length <= 512 * 1024,
    "must not be larger than 512 KiB in total, because a pod has to contain them",
  )
  .prefault({});
