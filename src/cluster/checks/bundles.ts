import { check, listed, unreadable } from "./check.ts";

export const bundles = check({
  name: "bundles",
  group: "environment",
  description: "The chart's package bundles (packageBundles), and whether each one has been built and is served.",
  problems: {
    "not-ready": {
      status: "warn",
      means:
        "Runner pods with that profile and image install their packages themselves, as they would without a bundle.",
      do: "kubectl -n NAMESPACE logs deployment/NAME -c serve shows the reason. The first build takes a few minutes.",
    },
  },
  run({ release }) {
    const read = release?.bundleServers;
    if (!read) return [];
    if (!("found" in read)) return [unreadable("the bundle servers", read)];
    if (read.found.length === 0) return [];
    const down = read.found.filter(({ status }) => (status?.readyReplicas ?? 0) === 0);
    if (down.length === 0) return [{ ok: `ready: ${listed(read.found.map(({ metadata }) => metadata.name))}` }];
    const names = { NAMESPACE: release.namespace ?? "", NAME: down[0]!.metadata.name };
    return [{ problem: "not-ready", what: `not ready: ${listed(down.map(({ metadata }) => metadata.name))}`, names }];
  },
});
