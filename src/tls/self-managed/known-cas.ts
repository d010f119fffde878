import type { Logger } from "../../log.ts";
import type { Trusted } from "./secret-contents.ts";

/** Logs the fingerprints of the CAs in the Secret, which kube-apiserver is configured to trust. */
export interface KnownCAs {
  /** Records CAs that this replica has created, so that they cause no warning. */
  addOwn(cas: readonly Trusted[]): void;
  /** Logs CAs that are new: in the first call as information, later as a warning if this replica did not create them. */
  logNew(cas: readonly Trusted[]): void;
}

export function createKnownCAs(log: Logger): KnownCAs {
  const known = new Set<string>();
  let isFirst = true;
  return {
    addOwn(cas) {
      for (const { fingerprint } of cas) known.add(fingerprint);
    },
    logNew(cas) {
      for (const { fingerprint, validTo } of cas) {
        if (known.has(fingerprint)) continue;
        known.add(fingerprint);
        const fields = { fingerprint, validTo: new Date(validTo).toISOString() };
        if (isFirst) log.info(fields, "the Secret contains this CA");
        else log.warn(fields, "the Secret contains a new CA, added by another replica or another client");
      }
      isFirst = false;
    },
  };
}
