import { check, listed, unreadable } from "./check.ts";

export const caches = check({
  name: "caches",
  group: "surroundings",
  looksAt: "The chart's caches of registries (registryCache), and whether they are ready.",
  problems: {
    "not-ready": {
      status: "warn",
      means:
        "While a cache is down, dockerd pulls from upstream, at upstream's rate limit; BuildKit and Dagger do so as well.",
      do: "kubectl -n NAMESPACE get pods, then describe and logs of the cache's pod. A claim that stays Pending needs a storage class.",
    },
  },
  look({ release }) {
    const read = release?.caches;
    if (!read) return [];
    if (!("found" in read)) return [unreadable("the caches", read)];
    if (read.found.length === 0) return [];
    const down = read.found.filter(({ spec, status }) => (status?.readyReplicas ?? 0) < (spec?.replicas ?? 1));
    if (down.length === 0) return [{ ok: `ready: ${listed(read.found.map(({ metadata }) => metadata.name))}` }];
    const names = { NAMESPACE: release.namespace ?? "" };
    return [{ problem: "not-ready", what: `not ready: ${listed(down.map(({ metadata }) => metadata.name))}`, names }];
  },
});
