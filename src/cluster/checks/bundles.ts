import { check, listed, unreadable } from "./check.ts";

export const bundles = check({
  name: "bundles",
  group: "surroundings",
  looksAt: "The chart's package bundles (packageBundles), and whether each is built and served.",
  problems: {
    "not-ready": {
      status: "warn",
      means: "Runner pods of that profile and image install their packages themselves, as without a bundle.",
      do: "kubectl -n NAMESPACE logs deployment/NAME -c serve says why. The first build takes some minutes.",
    },
  },
  look({ release }) {
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
