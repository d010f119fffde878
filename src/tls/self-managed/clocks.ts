import { isFault } from "./secret-contents.ts";
import type { Held } from "./secret-contents.ts";

/** Certificates begin an hour in the past, so that this much changes nothing. */
const tolerated = 300_000;

/**
 * Why a replica should write nothing now: clocks are apart. One that is ahead would renew what nobody else can use yet,
 * and one that is behind would replace what it takes for too early. It goes on serving what it has.
 *
 * @param now by the replica's own clock
 * @param serverTime by the API server's; undefined if that is not known
 */
export function doubtOf({ authority, serving }: Held, now: number, serverTime: number | undefined): string | undefined {
  if (serverTime !== undefined) {
    const seconds = Math.round((now - serverTime) / 1000);
    if (Math.abs(now - serverTime) <= tolerated) return undefined;
    return `this node's clock is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} the API server's, so nothing is written`;
  }
  const early = [authority, serving].filter(isFault).find((one) => one.early);
  return early && `${early.fault}: are the clocks of the nodes apart?`;
}
