import { describe, expect, test } from "vitest";
import type { CA, SecretContents, Serving, Trusted } from "./secret-contents.ts";
import { plan } from "./plan.ts";
import type { Plan } from "./plan.ts";

// Times are in days. Contains only the fields that the decision uses.
const times = { caLifetime: 90, servingLifetime: 30, settling: 1 };
const now = 1000;
const ends = (left: number, life: number) => ({ validFrom: now + left - life, validTo: now + left });

const ca = (name: string, left: number, life = 90) => ({ fingerprint: name, ...ends(left, life) }) as CA;
const serving = (signer: string, left: number, names = ["a"]) =>
  ({ signer, names, ...ends(left, 30) }) as unknown as Serving;
const bundle = (...names: string[]) => names.map((fingerprint) => ({ fingerprint }) as Trusted);
const fault = { fault: "it is broken" };

describe("the next write to the Secret", () => {
  test.each<[string, SecretContents, { settled?: boolean; names?: string[] }, Plan]>([
    [
      "an empty Secret: CA and certificate at once",
      { ca: fault, serving: fault, bundle: [] },
      {},
      { authority: "it is broken", serving: "it is broken" },
    ],
    ["a valid Secret: nothing", { ca: ca("new", 80), serving: serving("new", 20), bundle: bundle("new") }, {}, {}],
    [
      "a third of the serving certificate's lifetime is left: a new certificate",
      { ca: ca("new", 80), serving: serving("new", 9.9), bundle: bundle("new") },
      {},
      { serving: expect.stringMatching(/^it expires on/) },
    ],
    [
      "a required name is missing: a new certificate",
      { ca: ca("new", 80), serving: serving("new", 20), bundle: bundle("new") },
      { names: ["a", "b", "c"] },
      { serving: "it lacks the names b, c" },
    ],
    [
      "a third of the CA's lifetime is left: a new CA, and the serving certificate is not changed",
      { ca: ca("old", 29), serving: serving("old", 20), bundle: bundle("old") },
      { settled: true },
      { authority: expect.stringMatching(/^it expires on/) },
    ],
    [
      "both are due: first a serving certificate that is valid until the CA has been replaced",
      { ca: ca("old", 29), serving: serving("old", 5), bundle: bundle("old") },
      { settled: true },
      { serving: expect.stringMatching(/^it expires on/) },
    ],
    [
      "both are due, and the CA expires too soon to sign: a new CA",
      { ca: ca("old", 6), serving: serving("old", 5), bundle: bundle("old") },
      { settled: true },
      { authority: expect.stringMatching(/^it expires on/) },
    ],
    [
      "the new CA has not been trusted long enough: nothing",
      { ca: ca("new", 89), serving: serving("old", 20), bundle: bundle("new", "old") },
      {},
      {},
    ],
    [
      "the new CA has been trusted long enough: a certificate signed by it",
      { ca: ca("new", 89), serving: serving("old", 20), bundle: bundle("new", "old") },
      { settled: true },
      { serving: "there is a new CA" },
    ],
    [
      "a serving certificate that is due waits for the new CA",
      { ca: ca("new", 89), serving: serving("old", 5), bundle: bundle("new", "old") },
      {},
      {},
    ],
    [
      "an invalid serving certificate is replaced at once, because no replica could start",
      { ca: ca("new", 89), serving: fault, bundle: bundle("new", "old") },
      {},
      { serving: "it is broken" },
    ],
    [
      "the CA's key is lost, and the serving certificate is valid: a new CA",
      { ca: fault, serving: serving("old", 20), bundle: bundle("old") },
      { settled: true },
      { authority: "it is broken" },
    ],
    [
      "a CA from someone else that is missing in the bundle: the bundle",
      { ca: ca("new", 80), serving: serving("old", 20), bundle: bundle("old") },
      {},
      { bundle: "it does not contain the current CA" },
    ],
    [
      "a CA from someone else with a shorter lifetime is renewed after two thirds of that",
      { ca: ca("short", 12, 30), serving: serving("short", 12), bundle: bundle("short") },
      { settled: true },
      {},
    ],
  ])("%s", (_, contents, { settled = false, names = ["a"] }, wanted) => {
    expect(plan(contents, { now, names, times, settled })).toEqual(wanted);
  });
});
