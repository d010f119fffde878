import * as z from "zod";
import { docker } from "./docker.ts";
import { prerequisites } from "./prerequisites.ts";
import { privateCA, registries } from "./registries.ts";
import * as values from "./values.ts";

// The closed schema of the configuration file. A profile is checked as it is written, and once more after `extends`
// has merged it with its base; defaults come in last, so they never override a base.

const enabled = z.strictObject({ enabled: z.boolean().default(true) }).prefault({});

export const profileSchema = z.strictObject({
  extends: values.profileName.optional(),
  enabled: z.boolean().default(true),
  runner: z
    .strictObject({
      container: values.containerName.default("runner"),
      home: values.folder.optional(),
      command: z
        .array(values.plainText)
        .min(1)
        .refine(([program]) => program !== "", "the first word is the program to run")
        .optional(),
    })
    .prefault({}),
  docker,
  prerequisites,
  registries,
  privateCA: privateCA.optional(),
  buildkit: enabled,
  dagger: enabled,
});

const rule = z.strictObject({
  namespaces: z.array(values.namePattern).min(1).default(["*"]),
  scaleSets: z.array(values.namePattern).min(1).default(["*"]),
  profile: values.profileName,
  allowedProfiles: z.array(values.profileName).default([]),
});

/** By this a configuration file says what it is. */
export const configHead = { apiVersion: "arc-primer.dev/v1alpha1", kind: "PrimerConfiguration" } as const;

export const configSchema = z.strictObject({
  apiVersion: z.literal(configHead.apiVersion),
  kind: z.literal(configHead.kind),
  mode: z.enum(["enforce", "audit"]).default("enforce"),
  profiles: z.record(values.profileName, profileSchema).default({}),
  rules: z.array(rule).default([]),
});

/** A profile with everything decided: its base merged in, defaults filled in, durations in milliseconds. */
export type Profile = Omit<z.output<typeof profileSchema>, "extends"> & { readonly name: string };
export type Rule = z.output<typeof rule>;

/** The configuration in force: read once, frozen, every reference in it resolved. `profiles` always has `default`. */
export interface Config {
  readonly mode: "enforce" | "audit";
  readonly profiles: Readonly<Record<string, Profile>>;
  readonly rules: readonly Rule[];
}
