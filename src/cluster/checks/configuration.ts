import { check, counted, listed, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";

export const configuration = check({
  name: "configuration",
  group: "replicas",
  description: "The PrimerConfiguration in the ConfigMap of the release.",
  problems: {
    refused: {
      status: "fail",
      means: "Running replicas keep the last valid configuration. A new replica does not start.",
      do: "Correct config in the chart's values and run helm upgrade. arc-primer config check FILE reports the same errors for a file.",
    },
    missing: {
      status: "fail",
      means: "A new replica finds no configuration and does not start.",
      do: "Restore the ConfigMap: run helm upgrade with the same values.",
    },
    warnings: {
      status: "warn",
      means: "The configuration is in effect, but it allows something that may not be intended.",
      do: "Change config in the chart's values as the message says, unless this is intended.",
    },
    audit: {
      status: "warn",
      means: "No pod is changed: decisions are only logged and counted.",
      do: "To prime pods, set config.mode to enforce in the chart's values.",
    },
  },
  run({ release }) {
    const read = release?.configuration;
    if (!read) return [];
    const name = `the ConfigMap ${release.namespace}/${read.name}`;
    if ("missing" in read.text) return [{ problem: "missing", what: `${name}: ${read.text.missing}` }];
    if (!("found" in read.text)) return [unreadable(name, read.text)];
    const { parsed } = read;
    if (!parsed) return [];
    if ("error" in parsed) return [{ problem: "refused", what: `${name}: ${parsed.error.replaceAll("\n", "; ")}` }];
    const { config, warnings } = parsed;
    const findings: Finding<"warnings" | "audit">[] = warnings.map((warning) => ({
      problem: "warnings",
      what: `${name}: ${warning}`,
    }));
    if (config.mode === "audit") findings.push({ problem: "audit", what: "the mode is audit" });
    if (findings.length > 0) return findings;
    const profiles = Object.keys(config.profiles);
    return [
      { ok: `${counted(profiles.length, "profile")} (${listed(profiles)}), ${counted(config.rules.length, "rule")}` },
    ];
  },
});

export const sameAnswers = check({
  name: "same-answers",
  group: "replicas",
  description:
    "Whether all replicas give the same responses, and those that the ConfigMap specifies. Each replica receives a review for the pods of the scale sets.",
  problems: {
    different: {
      status: "fail",
      means:
        "The replicas do not have the same version and configuration, so the result for a runner pod depends on the replica that handles it.",
      do: "Wait a minute: the kubelets update a changed ConfigMap in one replica after the other. If the difference remains, check the logs of the named replicas for a rejected configuration.",
    },
    "not-in-force": {
      status: "warn",
      means:
        "The replicas agree with each other but not with the ConfigMap: they have not read it yet, or they rejected it.",
      do: "Wait a minute. If the difference remains, check the webhook's log for a rejected configuration.",
    },
  },
  run({ release, ownVersion }) {
    if (!release) return [];
    const { calls } = release;
    const unread = calls.flatMap(({ name, responses }) => ("found" in responses ? [] : [{ name, responses }]));
    const answered = calls.flatMap(({ name, responses }) =>
      "found" in responses ? [{ name, text: responses.found.join("\n") }] : [],
    );
    const [first, ...others] = answered;
    if (!first)
      return unread.slice(0, 1).map(({ name, responses }) => unreadable(`the responses of ${name}`, responses));
    const different = others.filter(({ text }) => text !== first.text);
    if (different.length > 0) {
      return [
        {
          problem: "different",
          what: `the responses of ${listed(different.map(({ name }) => name))} differ from those of ${first.name}`,
        },
      ];
    }
    const expected = calls[0]?.expected?.join("\n");
    const isSameVersion = versionOf(first.text) === ownVersion;
    const skipped = unread.map(({ name, responses }) => unreadable(`the responses of ${name}`, responses));
    if (expected !== undefined && isSameVersion && expected !== first.text) {
      return [
        { problem: "not-in-force", what: "the responses of the replicas are not those that the ConfigMap specifies" },
        ...skipped,
      ];
    }
    const suffix = expected !== undefined && isSameVersion ? " as the ConfigMap specifies" : "";
    return [
      {
        ok: `${listed(answered.map(({ name }) => name))} ${others.length > 0 ? "give the same responses" : "responds"}${suffix}`,
      },
      ...skipped,
    ];
  },
});

/** The version in the status annotation that a response adds to a pod; undefined if no pod is changed. */
function versionOf(text: string): string | undefined {
  const patches = [...text.matchAll(/"patch":"([^"]+)"/g)].map(([, patch = ""]) =>
    Buffer.from(patch, "base64").toString("utf8"),
  );
  return /\\"version\\":\\"([^"\\]+)\\"/.exec(patches.join("\n"))?.[1];
}
