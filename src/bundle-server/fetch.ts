import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds. They are short because the download stays within one cluster. */
const times = { response: 3_000, idle: 10_000, pause: 500 };
const maxAttempts = 10;

/**
 * Downloads a bundle from a Service whose endpoints are the replica that has it and this one, which does not. It therefore
 * tries several times, each time with a new connection.
 *
 * @returns the body of the response
 * @throws {Error} with the reason of the last attempt, if all of them fail
 */
export async function fetchBundle(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  for (let left = maxAttempts; ; left -= 1) {
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
        response.setTimeout(times.idle, () => response.destroy(new Error(`no data for ${times.idle / 1000} s`)));
        return resolve(response);
      }
      response.resume();
      reject(new Error(`the response status was ${response.statusCode}`));
    });
    request.setTimeout(times.response, () =>
      request.destroy(new Error(`no response within ${times.response / 1000} s`)),
    );
    request.on("error", reject);
  });
}
