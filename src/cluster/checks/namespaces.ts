import type { Namespace } from "../objects.ts";
import { foundOr, injectLabel, labelledNamespaces } from "../readings.ts";
import { check, counted, listed, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";
import { entryFor } from "../entries.ts";

export const namespaces = check({
  name: "namespaces",
  group: "scale sets",
  description: `The namespaces with the label ${injectLabel}: enabled.`,
  problems: {
    none: {
      status: "fail",
      means: "Only pods in labelled namespaces are primed, so no pod is primed.",
      do: `Run kubectl label namespace NAME ${injectLabel}=enabled for each namespace with scale sets.`,
    },
    "odd-label": {
      status: "warn",
      means: "The label's value must be exactly enabled. Pods in this namespace are not primed.",
      do: `Run kubectl label --overwrite namespace NAMESPACE ${injectLabel}=enabled, or use ${injectLabel}- to remove the label.`,
    },
    excluded: {
      status: "warn",
      means:
        "The webhook configuration excludes kube-system and the namespace of the release, regardless of their labels.",
      do: "Move the scale sets to a separate namespace.",
    },
  },
  run(readings) {
    const { namespaces: read, release } = readings;
    if (!("found" in read)) return [unreadable("the namespaces", read)];
    const findings: Finding<"none" | "odd-label" | "excluded">[] = [];
    for (const { metadata } of read.found) {
      const value = metadata.labels?.[injectLabel];
      if (value === undefined || ["enabled", "disabled"].includes(value)) continue;
      const names = { NAMESPACE: metadata.name };
      findings.push({ problem: "odd-label", what: `${metadata.name} has ${injectLabel}: "${value}"`, names });
    }
    const all = labelledNamespaces(readings);
    for (const space of all) {
      if (release && isExcluded(space, release.namespace)) {
        findings.push({
          problem: "excluded",
          what: `${space.metadata.name} has the label but is excluded`,
        });
      }
    }
    if (all.length === 0) findings.push({ problem: "none", what: "no namespace has the label" });
    if (findings.length > 0) return findings;
    return [
      { ok: `${counted(all.length, "namespace")} with the label: ${listed(all.map(({ metadata }) => metadata.name))}` },
    ];
  },
});

function isExcluded({ metadata }: Namespace, releaseNamespace: string | undefined): boolean {
  return ["kube-system", releaseNamespace].includes(metadata.name);
}

export const scaleSets = check({
  name: "scale-sets",
  group: "scale sets",
  description: "ARC's AutoscalingRunnerSets, and whether their namespaces have the label.",
  problems: {
    "no-arc": {
      status: "warn",
      means:
        "The cluster has no resource type AutoscalingRunnerSet: ARC (gha-runner-scale-set-controller) is not installed.",
      do: "Install ARC. arc-primer supports only its runner scale sets, not its older (summerwind) mode.",
    },
    none: {
      status: "warn",
      means: "No labelled namespace has a scale set, so no runner pod will be primed.",
      do: "Install a scale set, or label the namespaces of the existing scale sets.",
    },
    unlabelled: {
      status: "warn",
      means: "The runner pods of these scale sets are not primed: their namespaces lack the label.",
      do: `To prime them, run kubectl label namespace NAMESPACES ${injectLabel}=enabled. To turn this warning off, set the label to disabled.`,
    },
    unmatched: {
      status: "fail",
      means:
        "No entry of the webhook configuration matches this namespace, so the API server does not call arc-primer for its pods.",
      do: "Restore the entries: run helm upgrade with the same values. The check entries reports what is wrong with them.",
    },
  },
  run(readings) {
    const { scaleSets: read, namespaces: spaces, release } = readings;
    if ("missing" in read)
      return [{ problem: "no-arc", what: "the cluster has no resource type AutoscalingRunnerSet" }];
    if (!("found" in read)) return [unreadable("the scale sets", read)];
    if (!("found" in spaces))
      return [
        { unknown: "it is unknown which scale sets are in labelled namespaces: the namespaces could not be read" },
      ];
    const labels = labelledNamespaces(readings).map(({ metadata }) => metadata.name);
    const inside = read.found.filter(({ metadata }) => labels.includes(metadata.namespace ?? ""));
    const declined = spaces.found
      .filter(({ metadata }) => metadata.labels?.[injectLabel] === "disabled")
      .map(({ metadata }) => metadata.name);
    const outside = read.found.filter(({ metadata }) => ![...labels, ...declined].includes(metadata.namespace ?? ""));
    const findings: Finding<"none" | "unlabelled" | "unmatched">[] = [];
    if (outside.length > 0) {
      const names = outside.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
      const where = [...new Set(outside.map(({ metadata }) => metadata.namespace ?? ""))].join(" ");
      findings.push({
        problem: "unlabelled",
        what: `in namespaces without the label: ${listed(names)}`,
        names: { NAMESPACES: where },
      });
    }
    if (inside.length === 0) findings.push({ problem: "none", what: "no scale set in a labelled namespace" });
    for (const space of release ? labelledNamespaces(readings) : []) {
      if (isExcluded(space, release!.namespace) || entryFor(release!.webhookConfiguration, space)) continue;
      findings.push({ problem: "unmatched", what: `no entry matches the namespace ${space.metadata.name}` });
    }
    const ok =
      inside.length > 0 ? [{ ok: listed(inside.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)) }] : [];
    return [...ok, ...findings];
  },
});

export const podSecurity = check({
  name: "pod-security",
  group: "scale sets",
  description:
    "The Pod Security level of each labelled namespace with scale sets, and the mutations that it rules out.",
  problems: {
    "rules-out": {
      status: "warn",
      means: "Pod Security would reject a pod with this mutation, so arc-primer skips it in this namespace.",
      do: "Label the namespace NAMESPACE pod-security.kubernetes.io/enforce=privileged, or use a profile without this mutation for its scale sets.",
    },
  },
  run(readings) {
    const { dryRuns } = readings;
    const spaces = foundOr(readings.namespaces, []).filter(({ metadata }) =>
      dryRuns.some(({ namespace }) => namespace === metadata.name),
    );
    const levels = spaces.map(({ metadata }) => {
      const of = dryRuns.filter(({ namespace }) => namespace === metadata.name);
      const left = of.flatMap(({ primed, scaleSet }) =>
        (primed?.outcomes ?? [])
          .filter(({ reason }) => reason === "pod-security" || reason === "privilege-forbidden")
          .map(({ mutation }) => `${mutation} for ${scaleSet.metadata.name}`),
      );
      return { name: metadata.name, level: of[0]?.podSecurity ?? "privileged", left };
    });
    if (levels.length === 0) return [];
    const findings: Finding<"rules-out">[] = levels
      .filter(({ left }) => left.length > 0)
      .map(({ name, level, left }) => ({
        problem: "rules-out",
        what: `${name} enforces ${level}, which rules out ${listed(left)}`,
        names: { NAMESPACE: name },
      }));
    return [{ ok: listed(levels.map(({ name, level }) => `${name}: ${level}`)) }, ...findings];
  },
});
