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
  enabled: z.boolean().default(true).describe("Set to false to leave this profile's pods alone."),
  runner: z
    .strictObject({
      container: values.containerName.default("runner").describe("The name of the runner's container."),
      home: values.folder
        .optional()
        .describe(
          "The home folder of the runner's user, for files that jobs read. Default: /root for user 0, else the home that the command lies in, else /home/runner. The container's own HOME, DOCKER_CONFIG, BUILDX_CONFIG and XDG_CONFIG_HOME win.",
        ),
      command: z
        .array(values.plainText)
        .min(1)
        .refine(([program]) => program !== "", "the first word is the program to run")
        .optional()
        .describe(
          "The runner's command, for pod templates that leave it to the image. arc-primer never guesses a command; without one it cannot put a script before it.",
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
    .describe("The namespaces that the rule is about. `*` stands for any characters."),
  scaleSets: z
    .array(values.namePattern)
    .min(1)
    .default(["*"])
    .describe("The scale sets that the rule is about. `*` stands for any characters."),
  profile: values.profileName.describe("The profile of their pods."),
  allowedProfiles: z
    .array(values.profileName)
    .default([])
    .describe("The profiles that a pod may choose instead, with the annotation arc-primer.dev/profile."),
});

/** The apiVersion and kind of a configuration file. */
export const configHead = { apiVersion: "arc-primer.dev/v1alpha1", kind: "PrimerConfiguration" } as const;

export const configSchema = z.strictObject({
  apiVersion: z.literal(configHead.apiVersion),
  kind: z.literal(configHead.kind),
  mode: z
    .enum(["enforce", "audit"])
    .default("enforce")
    .describe("In mode `audit`, arc-primer decides, logs and counts, and changes no pod."),
  profiles: z
    .record(values.profileName, profileSchema)
    .default({})
    .describe(
      "The profiles by name. Pods that no rule matches get `default`, which is there even if it is not written.",
    ),
  rules: z.array(rule).default([]).describe("Which pods get which profile. The first rule that matches decides."),
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
