import { entryPaths, pathOf } from "../entries.ts";
import type { Webhook } from "../objects.ts";
import { foundOr, injectLabel, isOurs, nameOf } from "../readings.ts";
import { includesPodCreation, matchesLabels } from "../selectors.ts";
import { check, counted, listed, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";

/** Finds the webhook configuration that all the other checks are about. */
export const webhookConfiguration = check({
  name: "registration",
  group: "webhook",
  description:
    "Whether arc-primer has a MutatingWebhookConfiguration: one whose entries are named NAME.arc-primer.dev.",
  problems: {
    missing: {
      status: "fail",
      means: "The API server does not call arc-primer. All runner pods are created as ARC defines them.",
      do: "Install the chart (docs/install/helm.md), or upgrade the release: the chart creates the MutatingWebhookConfiguration.",
    },
    several: {
      status: "warn",
      means:
        "The API server calls all of them for the same pods. One release per cluster is enough; the other calls are unnecessary.",
      do: "Uninstall the other releases. The checks below are about FIRST.",
    },
  },
  run({ mutating }) {
    if (!("found" in mutating)) return [unreadable("the webhook configurations", mutating)];
    const ours = mutating.found.filter(({ webhooks = [] }) => webhooks.some(isOurs));
    const [first] = ours;
    if (!first) return [{ problem: "missing", what: "there is no MutatingWebhookConfiguration of arc-primer" }];
    if (ours.length > 1) {
      return [
        {
          problem: "several",
          what: `MutatingWebhookConfigurations of arc-primer: ${listed(ours.map(nameOf))}`,
          names: { FIRST: nameOf(first) },
        },
      ];
    }
    return [
      {
        ok: `MutatingWebhookConfiguration ${nameOf(first)}, with ${counted(first.webhooks?.length ?? 0, "entry").replace("entrys", "entries")}`,
      },
    ];
  },
});

const runnerLabels = { "actions-ephemeral-runner": "True" };

export const entries = check({
  name: "entries",
  group: "webhook",
  description:
    "The entries of the webhook configuration: one for each Pod Security level, with rules and selectors that match runner pods.",
  problems: {
    missing: {
      status: "fail",
      means:
        "Runner pods in labelled namespaces that enforce Pod Security LEVELS are not primed: no entry matches them.",
      do: "Restore the entries: run helm upgrade with the same values, or apply the manifests in deploy/ again.",
    },
    "no-pods": {
      status: "fail",
      means: "The API server does not call this entry for runner pods: its rules or its objectSelector exclude them.",
      do: 'Restore the entry: run helm upgrade with the same values. Its rules must match CREATE of pods, and its objectSelector actions-ephemeral-runner: "True".',
    },
    "too-many": {
      status: "warn",
      means:
        "The API server calls arc-primer for more than runner pods. The other pods wait for the response, and arc-primer does not change them.",
      do: "Restore the entry: run helm upgrade with the same values.",
    },
  },
  run({ release }) {
    if (!release) return [];
    const ours = (release.webhookConfiguration.webhooks ?? []).filter(isOurs);
    const findings: Finding<"missing" | "no-pods" | "too-many">[] = [];
    const missing = Object.entries(entryPaths).filter(
      ([level, path]) => !ours.some((entry) => pathOf(entry) === path && matchesLevel(entry, level)),
    );
    if (missing.length > 0) {
      const levels = listed(missing.map(([level]) => level));
      findings.push({
        problem: "missing",
        what: `no entry for namespaces that enforce ${levels}`,
        names: { LEVELS: levels },
      });
    }
    for (const entry of ours) {
      if (!includesPodCreation(entry.rules) || !matchesLabels(entry.objectSelector, runnerLabels)) {
        findings.push({
          problem: "no-pods",
          what: `the entry ${entry.name} does not match the creation of runner pods`,
        });
      } else if (matchesLabels(entry.objectSelector, {}) || matchesLabels(entry.namespaceSelector, {})) {
        findings.push({
          problem: "too-many",
          what: `the entry ${entry.name} matches more than the runner pods in labelled namespaces`,
        });
      }
    }
    return findings.length > 0
      ? findings
      : [{ ok: "one entry for each Pod Security level, all of them limited to runner pods in labelled namespaces" }];
  },
});

function matchesLevel({ namespaceSelector }: Webhook, level: string): boolean {
  const labels = { [injectLabel]: "enabled", "kubernetes.io/metadata.name": "any" };
  const enforce = { ...labels, "pod-security.kubernetes.io/enforce": level };
  return matchesLabels(namespaceSelector, enforce) || matchesLabels(namespaceSelector, labels);
}

export const failurePolicy = check({
  name: "failure-policy",
  group: "webhook",
  description: "What the API server does with runner pods when arc-primer does not respond, and how long it waits.",
  problems: {
    fail: {
      status: "warn",
      means:
        "While arc-primer does not respond, no runner pod is created. With fewer than two ready replicas, this happens at every restart of a replica.",
      do: "Run at least two replicas (replicas in the chart's values), or set webhook.failurePolicy to Ignore.",
    },
    "time-out": {
      status: "warn",
      means: "When a replica hangs, the creation of each runner pod waits this long.",
      do: "Set webhook.timeoutSeconds in the chart's values to 5. arc-primer responds within milliseconds.",
    },
    mixed: {
      status: "warn",
      means:
        "How runner pods are treated depends on the Pod Security level of their namespace. The chart sets the same policy for all entries.",
      do: "Restore the entries: run helm upgrade with the same values.",
    },
  },
  run({ release }) {
    if (!release) return [];
    const ours = (release.webhookConfiguration.webhooks ?? []).filter(isOurs);
    const policies = [...new Set(ours.map((entry) => entry.failurePolicy ?? "Fail"))];
    const seconds = Math.max(...ours.map(({ timeoutSeconds = 10 }) => timeoutSeconds));
    const findings: Finding<"fail" | "time-out" | "mixed">[] = [];
    if (policies.length > 1) findings.push({ problem: "mixed", what: `failure policies: ${listed(policies)}` });
    const ready = foundOr(release.deployment, undefined)?.status?.readyReplicas ?? 0;
    if (policies.includes("Fail") && release.deployment && ready < 2) {
      findings.push({
        problem: "fail",
        what: `failurePolicy is Fail, and ${counted(ready, "replica")} ${ready === 1 ? "is" : "are"} ready`,
      });
    }
    if (seconds > 10) findings.push({ problem: "time-out", what: `timeoutSeconds is ${seconds}` });
    if (findings.length > 0) return findings;
    const consequence =
      policies[0] === "Fail"
        ? "while arc-primer is down, no runner pod is created, and ARC retries"
        : "while arc-primer is down, runner pods are created unprimed";
    return [{ ok: `failurePolicy ${policies[0]} (${consequence}), timeout ${seconds} s` }];
  },
});
