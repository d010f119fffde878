import { Conflict } from "../../src/tls/self-managed/objects.ts";
import type { ClusterObjects } from "../../src/tls/self-managed/objects.ts";

/** The Secret and the webhook configuration in memory, with a resourceVersion like in the API server. */
export function memoryCluster(names: readonly string[] = ["runners", "restricted"]) {
  const state = {
    secret: {} as Record<string, string>,
    secretVersion: 1,
    bundles: Object.fromEntries(names.map((name) => [name, ""])),
    bundlesVersion: 1,
    /** The API server's clock, if it is known. */
    serverTime: undefined as (() => number) | undefined,
  };
  const check = (version: string, present: number) => {
    if (version !== String(present)) throw new Conflict("it has changed");
  };
  const objects: ClusterObjects = {
    secret: async () => ({ version: String(state.secretVersion), content: { ...state.secret } }),
    async writeSecret(version, values) {
      check(version, state.secretVersion);
      Object.assign(state.secret, values);
      state.secretVersion++;
    },
    serverTime: () => state.serverTime?.(),
    entries: async () => ({
      version: String(state.bundlesVersion),
      content: Object.entries(state.bundles).map(([name, caBundle]) => ({ name, caBundle })),
    }),
    async writeEntries(version, entries) {
      check(version, state.bundlesVersion);
      for (const { name, caBundle } of entries) state.bundles[name] = caBundle;
      state.bundlesVersion++;
    },
  };
  return {
    state,
    objects,
    /** Simulates a manual change of the Secret. */
    setSecret(secret: Record<string, string>) {
      state.secret = secret;
      state.secretVersion++;
    },
    setBundles(caBundle: string) {
      for (const name of names) state.bundles[name] = caBundle;
      state.bundlesVersion++;
    },
  };
}
