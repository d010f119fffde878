// Settings of packages. These values reach apt as command-line arguments. None of them is interpreted by a shell,
// except the administrator's own script.
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
        error: ({ input }) => `${quote(input)} is not a package like curl, or git=1:2.39* with a version`,
      })
      .meta({ pattern: packageName.source }),
  )
  .max(500)
  .refine((all) => new Set(all.map(nameOf)).size === all.length, "a package is there twice")
  .default([])
  .describe(
    'Packages to install with apt, with a version if need be: [curl, "git=1:2.39*"]. Those that are there stay as they are.',
  );

function nameOf(text: string): string {
  return text.split("=")[0]!;
}

/** A URL for apt, passed on unchanged. */
const url = mirrorUrl.refine(
  (text) => !text.includes(hostIpReference),
  `${hostIpReference} is for registry mirrors only`,
);

const word = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/+-]*$/, {
  error: ({ input }) => `${quote(input)} is not a name that apt takes`,
});

/** `bookworm`, or, for a repository without suites, a path that ends in a slash. */
const suite = z.string().regex(/^[A-Za-z0-9./][A-Za-z0-9._/+-]*$/, {
  error: ({ input }) => `${quote(input)} is neither a suite like bookworm nor a path like ./`,
});

const armoredKey = z
  .string()
  .regex(/^-----BEGIN PGP PUBLIC KEY BLOCK-----\n[\t\n -~]*\n-----END PGP PUBLIC KEY BLOCK-----\s*$/, {
    error: "expected an ASCII-armoured public key: -----BEGIN PGP PUBLIC KEY BLOCK----- to its end",
  })
  .refine(isWord, "is larger than 120 KiB, and one word of a command line cannot be");

const source = z
  .strictObject({
    url: url.describe("The repository's URL."),
    suites: z.array(suite).min(1).describe("The suites, such as bookworm, or a path that ends in a slash."),
    components: z
      .array(word)
      .default([])
      .describe("The components, such as main. A repository without any has the suite `./`."),
    architectures: z.array(word).default([]).describe("The architectures. Default: the image's own."),
    signedBy: armoredKey.optional().describe("The public key that the repository is signed with, ASCII-armoured."),
    trusted: z.boolean().default(false).describe("Set to true to check no signature."),
  })
  .superRefine(({ suites, components, signedBy, trusted }, context) => {
    const flat = suites.filter((name) => name.endsWith("/")).length;
    if (flat > 0 && (flat < suites.length || components.length > 0)) {
      context.addIssue(
        "a suite that ends in / stands for a repository without components: give it a source of its own",
      );
    } else if (flat === 0 && components.length === 0) {
      context.addIssue("components are missing, like [main]; a repository without any has the suite ./");
    }
    if (trusted === (signedBy !== undefined)) {
      context.addIssue("a source has either signedBy, its key, or trusted: true, which checks no signature");
    }
  });

const mirrors = z
  .record(url, url)
  .default({})
  .describe("Mirrors of the image's own sources: by the URL in sources.list, the URL to use instead.");

/** Linux limits one argument to 128 KiB (MAX_ARG_STRLEN). The limit applies after `$` is escaped for the kubelet. */
function isWord(text: string): boolean {
  return new TextEncoder().encode(escapeForKubelet(text)).length <= 120 * 1024;
}

/** `profiles.NAME.prerequisites`. */
export const prerequisites = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Set to false to install nothing."),
    packages,
    apt: z
      .strictObject({
        proxy: url.optional().describe("A proxy for apt: http://apt-cache:3142."),
        mirrors,
        keep: z
          .boolean()
          .default(false)
          .describe("Set to true to leave proxy and mirrors in place for the `apt-get` of the job's own steps."),
        sources: z.array(source).max(50).default([]).describe("More package repositories, for the installation only."),
      })
      .prefault({}),
    script: values.plainText
      .min(1)
      .refine(isWord, "is larger than 120 KiB, and one word of a command line cannot be")
      .optional()
      .describe(
        "**A shell script of yours** (with `#!`, of any language), run as root after the packages. Everyone who may read pods can read it.",
      ),
    onFailure: z
      .enum(["warn", "fail"])
      .default("warn")
      .describe(
        "What happens when packages are missing: `warn` starts the runner and logs it, `fail` does not start the runner.",
      ),
    timeout: values
      .duration({ min: "10s", max: "1h", wholeSeconds: true })
      .prefault("5m")
      .describe("How long the installation may take."),
    sizeLimit: values.quantity
      .refine((text) => quantityValue(text)! >= 2 ** 26, "less than 64Mi is no room for packages")
      .prefault("2Gi")
      .describe("The size of the volume that hands the packages on. Nine tenths of it may be used."),
  })
  // etcd limits a whole pod to 1.5 MiB.
  .refine(
    (all) => JSON.stringify(all).length <= 512 * 1024,
    "are larger than 512 KiB together, which is too much for a pod",
  )
  .prefault({});
