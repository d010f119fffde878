import { isFault } from "./secret-contents.ts";
import type { SecretContents } from "./secret-contents.ts";

/** The tolerated clock skew in milliseconds. It is harmless, because certificates are backdated by an hour. */
const tolerated = 300_000;

/**
 * Returns the reason if a replica must not write anything because of clock skew. A replica whose clock is ahead would
 * issue certificates that others cannot use yet. A replica whose clock is behind would replace certificates that it
 * considers not yet valid. The replica keeps serving its current certificate.
 *
 * @param now the time of the replica's own clock
 * @param serverTime the time of the API server's clock; undefined if it is not known
 */
export function clockSkewReason(
  { ca, serving }: SecretContents,
  now: number,
  serverTime: number | undefined,
): string | undefined {
  if (serverTime !== undefined) {
    const seconds = Math.round((now - serverTime) / 1000);
    if (Math.abs(now - serverTime) <= tolerated) return undefined;
    return `this node's clock is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} the API server's; nothing is written until the clock is corrected`;
  }
  const early = [ca, serving].filter(isFault).find((fault) => fault.early);
  return early && `${early.fault}; the clocks of the nodes may differ`;
}
