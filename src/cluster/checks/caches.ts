import { check, listed, unreadable } from "./check.ts";

export const caches = check({
  name: "caches",
  group: "environment",
  description: "The chart's registry caches (registryCache), and whether they are ready.",
  problems: {
    "not-ready": {
      status: "warn",
      means:
        "While a cache is not ready, dockerd, BuildKit and Dagger pull from the upstream registry and are subject to its rate limit.",
      do: "Run kubectl -n NAMESPACE get pods, then kubectl describe and kubectl logs for the cache's pod. A PersistentVolumeClaim that stays Pending needs a storage class.",
    },
  },
  run({ release }) {
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
