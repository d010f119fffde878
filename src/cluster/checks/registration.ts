import { entryPaths, pathOf } from "../entries.ts";
import type { Webhook } from "../objects.ts";
import { foundOr, injectLabel, isOurs, nameOf } from "../readings.ts";
import { includesPodCreation, matchesLabels } from "../selectors.ts";
import { check, counted, listed, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";

/** The registration that all checks speak of, or why there is none to speak of. */
export const registration = check({
  name: "registration",
  group: "webhook",
  looksAt: "Whether the API server knows arc-primer: a MutatingWebhookConfiguration with entries NAME.arc-primer.dev.",
  problems: {
    missing: {
      status: "fail",
      means: "The API server asks arc-primer about no pod. All runner pods are created as ARC made them.",
      do: "Install the chart (docs/install/helm.md), or upgrade the release: it makes the MutatingWebhookConfiguration.",
    },
    several: {
      status: "warn",
      means:
        "Each of them is asked about the same pods. One release a cluster is enough; the others are called for nothing.",
      do: "Uninstall the releases that are left over. The checks below are about FIRST.",
    },
  },
  look({ mutating }) {
    if (!("found" in mutating)) return [unreadable("the webhook configurations", mutating)];
    const ours = mutating.found.filter(({ webhooks = [] }) => webhooks.some(isOurs));
    const [first] = ours;
    if (!first) return [{ problem: "missing", what: "there is no MutatingWebhookConfiguration of arc-primer" }];
    if (ours.length > 1) {
      return [
        { problem: "several", what: `registrations: ${listed(ours.map(nameOf))}`, names: { FIRST: nameOf(first) } },
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
  looksAt:
    "The entries of the registration: one for each Pod Security level, with the rules and selectors that let it see runner pods.",
  problems: {
    missing: {
      status: "fail",
      means:
        "Runner pods in labelled namespaces that enforce Pod Security LEVELS are not primed: no entry matches them.",
      do: "Restore the entries: helm upgrade with the same values, or kubectl apply of deploy/.",
    },
    "no-pods": {
      status: "fail",
      means: "The API server does not call this entry for runner pods: its rules or its objectSelector leave them out.",
      do: 'Restore the entry: helm upgrade with the same values. The rules are CREATE of pods, the objectSelector actions-ephemeral-runner: "True".',
    },
    "too-many": {
      status: "warn",
      means: "The API server asks about more than runner pods. They wait for arc-primer, which leaves them alone.",
      do: "Restore the entry: helm upgrade with the same values.",
    },
  },
  look({ release }) {
    if (!release) return [];
    const ours = (release.registration.webhooks ?? []).filter(isOurs);
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
          what: `the entry ${entry.name} matches more than the runner pods of labelled namespaces`,
        });
      }
    }
    return findings.length > 0
      ? findings
      : [{ ok: "an entry for each Pod Security level, for runner pods of labelled namespaces alone" }];
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
  looksAt: "What the API server does with runner pods when arc-primer does not answer, and how long it waits.",
  problems: {
    fail: {
      status: "warn",
      means:
        "While arc-primer does not answer, no runner pod is created. With fewer than two ready replicas, that is as often as the one restarts.",
      do: "Run two replicas or more (replicas in the chart's values), or set webhook.failurePolicy to Ignore.",
    },
    "time-out": {
      status: "warn",
      means: "So long does the creation of each runner pod wait when a replica hangs.",
      do: "Set webhook.timeoutSeconds in the chart's values to 5. arc-primer answers within milliseconds.",
    },
    mixed: {
      status: "warn",
      means:
        "Runner pods are treated differently by their namespace's Pod Security level. The chart gives all entries the same policy.",
      do: "Restore the entries: helm upgrade with the same values.",
    },
  },
  look({ release }) {
    if (!release) return [];
    const ours = (release.registration.webhooks ?? []).filter(isOurs);
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
    const then =
      policies[0] === "Fail"
        ? "no runner pod is created while it is down, and ARC tries again"
        : "runner pods are created unprimed while it is down";
    return [{ ok: `failurePolicy ${policies[0]} (${then}), time-out ${seconds} s` }];
  },
});
