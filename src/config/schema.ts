import * as z from "zod";
import { docker } from "./docker.ts";
import { finishJob } from "./finish-job.ts";
import { images } from "./images.ts";
import { prerequisites } from "./prerequisites.ts";
import { privateCA, registries } from "./registries.ts";
import * as values from "./values.ts";

// The schema of the configuration file. Unknown fields are errors. A profile is validated as written, and again after
// it has been merged with its base. Defaults are applied last, so that they never override a base.

export const profileSchema = z.strictObject({
  extends: values.profileName
    .optional()
    .describe("The profile that this one extends. Maps are merged; lists and scalars replace those of the base."),
  enabled: z.boolean().default(true).describe("Set to false to leave pods with this profile unchanged."),
  runner: z
    .strictObject({
      container: values.containerName.default("runner").describe("The name of the runner container."),
      home: values.directory
        .optional()
        .describe(
          "The home directory of the runner's user, for files that jobs read. Default: /root for user 0, otherwise the home directory that contains the command, otherwise /home/runner. The container's own HOME, DOCKER_CONFIG, BUILDX_CONFIG and XDG_CONFIG_HOME take precedence.",
        ),
      command: z
        .array(values.plainText)
        .min(1)
        .refine(([program]) => program !== "", "the first item must be the program to run")
        .optional()
        .describe(
          "The command of the runner container, for pod templates that use the image's default command. arc-primer never guesses a command, and cannot run a script before an unknown one.",
        ),
      finishJob,
    })
    .prefault({}),
  docker,
  images,
  prerequisites,
  registries,
  privateCA: privateCA.optional(),
  buildkit: switchable("Set to false to leave out buildkitd.default.toml, which configures the builders of buildx."),
  dagger: switchable("Set to false to leave out engine.json, which configures Dagger's engine."),
});

/** A section that contains only `enabled`. */
function switchable(description: string) {
  return z.strictObject({ enabled: z.boolean().default(true).describe(description) }).prefault({});
}

const rule = z.strictObject({
  namespaces: z
    .array(values.namePattern)
    .min(1)
    .default(["*"])
    .describe("The namespaces that the rule applies to. `*` matches any characters."),
  scaleSets: z
    .array(values.namePattern)
    .min(1)
    .default(["*"])
    .describe("The scale sets that the rule applies to. `*` matches any characters."),
  profile: values.profileName.describe("The profile for the matching pods."),
  allowedProfiles: z
    .array(values.profileName)
    .default([])
    .describe("The profiles that a pod may select instead, with the annotation arc-primer.dev/profile."),
});

/** The apiVersion and kind of a configuration file. */
export const configHead = { apiVersion: "arc-primer.dev/v1alpha1", kind: "PrimerConfiguration" } as const;

export const configSchema = z.strictObject({
  apiVersion: z.literal(configHead.apiVersion),
  kind: z.literal(configHead.kind),
  mode: z
    .enum(["enforce", "audit"])
    .default("enforce")
    .describe("In mode `audit`, arc-primer logs and counts its decisions but changes no pods."),
  profiles: z
    .record(values.profileName, profileSchema)
    .default({})
    .describe("The profiles, by name. Pods that match no rule get the profile `default`, which always exists."),
  rules: z.array(rule).default([]).describe("The rules that assign profiles to pods. The first matching rule applies."),
});

/** A resolved profile: merged with its base, defaults filled in, durations in milliseconds. */
export type Profile = Omit<z.output<typeof profileSchema>, "extends"> & { readonly name: string };
export type Rule = z.output<typeof rule>;

/** A resolved configuration: frozen, with every reference checked. `profiles` always contains `default`. */
export interface Config {
  readonly mode: "enforce" | "audit";
  readonly profiles: Readonly<Record<string, Profile>>;
  readonly rules: readonly Rule[];
}
