import { expect, test } from "vitest";
import { observers } from "../../test/support/bundles.ts";
import { settingsDigest } from "../bundles/settings.ts";
import { parseConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { wantedBundle } from "./wanted-bundle.ts";

const { log, lines } = observers();
const configOf = (profiles: string) =>
  parseConfig(
    `{ apiVersion: arc-primer.dev/v1alpha1, kind: PrimerConfiguration, profiles: ${profiles} }`,
    "config.yaml",
  );
const wantedOf = (config: () => Config, largest = 2 ** 30) =>
  wantedBundle({ config, profile: "ci", timeout: 1_800_000, largest, log });

test("builds what pods would install, with the timeout of the builder and the size limit of the store", () => {
  const config = configOf("{ ci: { prerequisites: { packages: [curl, git], sizeLimit: 1Gi, timeout: 1m } } }");
  expect(wantedOf(() => config)()).toEqual({
    words: ["on-failure=warn", "timeout=1800", `size-limit=${Math.floor(2 ** 30 * 0.9)}`, "--", "curl", "git"],
    settings: settingsDigest(config.profiles["ci"]!.prerequisites),
  });
  expect(wantedOf(() => config, 2 ** 28)()?.words).toContain(`size-limit=${2 ** 28 - 2 ** 24}`);
});

test("uses changed configurations, and logs once why there is nothing to build", () => {
  let config = configOf("{ ci: { prerequisites: { packages: [curl] } } }");
  const wanted = wantedOf(() => config);
  expect(wanted()?.words.at(-1)).toBe("curl");
  for (const [profiles, reason] of [
    ["{}", "the configuration does not contain this profile"],
    ["{ ci: {} }", "the profile contains no packages and no script"],
    ["{ ci: { enabled: false, prerequisites: { packages: [curl] } } }", "the profile is disabled"],
    ["{ ci: { prerequisites: { enabled: false, packages: [curl] } } }", "the profile's prerequisites are disabled"],
  ] as const) {
    lines.length = 0;
    config = configOf(profiles);
    expect([wanted(), wanted()]).toEqual([undefined, undefined]);
    expect(lines).toEqual([expect.objectContaining({ level: "warn", profile: "ci", reason })]);
  }
  config = configOf("{ ci: { prerequisites: { script: 'true' } } }");
  expect(wanted()?.words).toContain("script=true");
});
