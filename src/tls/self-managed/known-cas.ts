import type { Logger } from "../../log.ts";
import type { Trusted } from "./secret-contents.ts";

/** Logs the fingerprints of the CAs that kube-apiserver is configured to trust. */
export interface KnownCAs {
  /** Records CAs that this replica has created, so that they cause no warning. */
  made(authorities: readonly Trusted[]): void;
  /** Logs CAs that are trusted: in the first call as information, later as a warning if this replica did not create them. */
  seen(authorities: readonly Trusted[]): void;
}

export function createKnownCAs(log: Logger): KnownCAs {
  const known = new Set<string>();
  let isFirst = true;
  return {
    made(authorities) {
      for (const { fingerprint } of authorities) known.add(fingerprint);
    },
    seen(authorities) {
      for (const { fingerprint, validTo } of authorities) {
        if (known.has(fingerprint)) continue;
        known.add(fingerprint);
        const about = { fingerprint, validTo: new Date(validTo).toISOString() };
        if (isFirst) log.info(about, "the Secret holds this CA");
        else log.warn(about, "the Secret holds a new CA, which another replica or somebody else has put there");
      }
      isFirst = false;
    },
  };
}
