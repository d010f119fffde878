import { check, counted, listed, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";

export const configuration = check({
  name: "configuration",
  group: "replicas",
  looksAt: "The PrimerConfiguration in the release's ConfigMap.",
  problems: {
    refused: {
      status: "fail",
      means: "Replicas that run keep the last good configuration; one that starts does not come up.",
      do: "Correct config in the chart's values and helm upgrade. arc-primer config check FILE says the same of a file.",
    },
    missing: {
      status: "fail",
      means: "A replica that starts has no configuration, and does not come up.",
      do: "Restore the ConfigMap: helm upgrade with the same values.",
    },
    warnings: {
      status: "warn",
      means: "The configuration is in force, and allows something that its author may not have meant.",
      do: "Change config in the chart's values as the message says, unless you meant it.",
    },
    audit: {
      status: "warn",
      means: "Nothing is changed in any pod: decisions are logged and counted alone.",
      do: "Set config.mode to enforce in the chart's values when you have seen enough.",
    },
  },
  look({ release }) {
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
  looksAt:
    "Whether all replicas answer alike, and as the configuration in the ConfigMap says: each is asked about the scale sets' pods.",
  problems: {
    different: {
      status: "fail",
      means:
        "The replicas do not have the same version and configuration: a runner pod comes out differently, by the replica that was asked.",
      do: "Wait a minute: the kubelets bring a changed ConfigMap to the replicas one by one. Else look into the log of those that are named, for a configuration that was refused.",
    },
    "not-in-force": {
      status: "warn",
      means:
        "The replicas agree with each other, and not with the ConfigMap: they have not read it yet, or refused it.",
      do: "Wait a minute. Else look into the webhook's log for a configuration that was refused.",
    },
  },
  look({ release, ownVersion }) {
    if (!release) return [];
    const spoken = release.conversations;
    const unread = spoken.flatMap(({ with: name, answers }) => ("found" in answers ? [] : [{ name, answers }]));
    const answered = spoken.flatMap(({ with: name, answers }) =>
      "found" in answers ? [{ name, text: answers.found.join("\n") }] : [],
    );
    const [first, ...others] = answered;
    if (!first) return unread.slice(0, 1).map(({ name, answers }) => unreadable(`the answers of ${name}`, answers));
    const odd = others.filter(({ text }) => text !== first.text);
    if (odd.length > 0) {
      return [
        { problem: "different", what: `${listed(odd.map(({ name }) => name))} answer otherwise than ${first.name}` },
      ];
    }
    const expected = spoken[0]?.expected?.join("\n");
    const isSameVersion = answersVersion(first.text) === ownVersion;
    const skipped = unread.map(({ name, answers }) => unreadable(`the answers of ${name}`, answers));
    if (expected !== undefined && isSameVersion && expected !== first.text) {
      return [{ problem: "not-in-force", what: "the replicas do not answer as the ConfigMap says" }, ...skipped];
    }
    const so = expected !== undefined && isSameVersion ? ", as the ConfigMap says" : "";
    return [
      { ok: `${listed(answered.map(({ name }) => name))} ${others.length > 0 ? "answer alike" : "answers"}${so}` },
      ...skipped,
    ];
  },
});

/** The version in the status that an answer puts on a pod; undefined where no pod is changed. */
function answersVersion(text: string): string | undefined {
  const patches = [...text.matchAll(/"patch":"([^"]+)"/g)].map(([, patch = ""]) =>
    Buffer.from(patch, "base64").toString("utf8"),
  );
  return /\\"version\\":\\"([^"\\]+)\\"/.exec(patches.join("\n"))?.[1];
}
