import type { Logger } from "../../log.ts";
import type { Trusted } from "./secret-contents.ts";

/** Tells the log which authorities kube-apiserver is made to trust, by their fingerprints. */
export interface Sightings {
  /** This replica has made these. */
  made(authorities: readonly Trusted[]): void;
  /** These are to be trusted. The first look tells what was there; later an authority of somebody else is a warning. */
  seen(authorities: readonly Trusted[]): void;
}

export function createSightings(log: Logger): Sightings {
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
