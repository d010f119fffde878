import { chooseProfile } from "../../engine/profile.ts";
import { explain } from "../../report/reasons.ts";
import { check } from "./check.ts";

export const profiles = check({
  name: "profiles",
  group: "scale sets",
  description: "The profile that the rules of the configuration assign to each scale set.",
  problems: {
    "not-given": {
      status: "warn",
      means:
        "The scale set's template requests a profile with the annotation arc-primer.dev/profile, but does not get it.",
      do: "Define the profile, and list it in allowedProfiles of the rule that matches the scale set. Otherwise, remove the annotation.",
    },
  },
  run({ dryRuns, release }) {
    const parsed = release?.configuration?.parsed;
    if (!parsed || !("config" in parsed)) {
      return dryRuns.length > 0 && release
        ? [{ unknown: "it is unknown which profile each scale set gets: the configuration could not be read" }]
        : [];
    }
    return dryRuns.map(({ namespace, scaleSet, pod }) => {
      const { name } = scaleSet.metadata;
      const wanted = pod?.metadata.annotations?.["arc-primer.dev/profile"];
      const { profile, problem } = chooseProfile(parsed.config, { namespace, scaleSet: name }, wanted);
      const what = `${namespace}/${name}: profile ${profile.name}`;
      if (problem) return { problem: "not-given" as const, what: `${what} instead of ${wanted}: ${explain(problem)}` };
      return { ok: profile.enabled ? what : `${what}, which is disabled (enabled: false)` };
    });
  },
});
