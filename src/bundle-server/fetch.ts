import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds. A bundle is fetched within one cluster. */
const times = { answer: 3_000, idle: 10_000, pause: 500 };
const tries = 10;

/**
 * Asks for a bundle at a Service, behind which there is the replica that has it, and this one, which has not: so it asks
 * several times, with a connection of its own each time.
 *
 * @returns the answer's body
 * @throws {Error} with the last reason, if nobody has it
 */
export async function fetchBundle(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  for (let left = tries; ; left -= 1) {
    try {
      return await ask(url, signal);
    } catch (error) {
      if (left === 1 || signal.aborted) throw error;
      await sleep(times.pause, undefined, { signal, ref: false });
    }
  }
}

async function ask(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, signal }, (response) => {
      if (response.statusCode === 200) {
        response.setTimeout(times.idle, () => response.destroy(new Error(`nothing came for ${times.idle / 1000} s`)));
        return resolve(response);
      }
      response.resume();
      reject(new Error(`the answer was ${response.statusCode}`));
    });
    request.setTimeout(times.answer, () => request.destroy(new Error(`no answer within ${times.answer / 1000} s`)));
    request.on("error", reject);
  });
}
