import { describe, expect, test } from "vitest";
import type { CA, SecretContents, Serving, Trusted } from "./secret-contents.ts";
import { plan } from "./plan.ts";
import type { Plan } from "./plan.ts";

// Times are in days. Contains only the fields that the decision uses.
const times = { caLifetime: 90, servingLifetime: 30, settling: 1 };
const now = 1000;
const ends = (left: number, life: number) => ({ validFrom: now + left - life, validTo: now + left });

const authority = (name: string, left: number, life = 90) => ({ fingerprint: name, ...ends(left, life) }) as CA;
const serving = (signer: string, left: number, names = ["a"]) =>
  ({ signer, names, ...ends(left, 30) }) as unknown as Serving;
const bundle = (...names: string[]) => names.map((fingerprint) => ({ fingerprint }) as Trusted);
const fault = { fault: "it is broken" };

describe("what the Secret needs next", () => {
  test.each<[string, SecretContents, { settled?: boolean; names?: string[] }, Plan]>([
    [
      "nothing in it: both at once",
      { authority: fault, serving: fault, bundle: [] },
      {},
      { authority: "it is broken", serving: "it is broken" },
    ],
    ["all is well", { authority: authority("new", 80), serving: serving("new", 20), bundle: bundle("new") }, {}, {}],
    [
      "a third of the serving certificate's life is left",
      { authority: authority("new", 80), serving: serving("new", 9.9), bundle: bundle("new") },
      {},
      { serving: expect.stringMatching(/^it ends on/) },
    ],
    [
      "it lacks a name",
      { authority: authority("new", 80), serving: serving("new", 20), bundle: bundle("new") },
      { names: ["a", "b", "c"] },
      { serving: "it lacks the names b, c" },
    ],
    [
      "a third of the authority's life is left: a new one, and what is served stays",
      { authority: authority("old", 29), serving: serving("old", 20), bundle: bundle("old") },
      { settled: true },
      { authority: expect.stringMatching(/^it ends on/) },
    ],
    [
      "both are due: first a serving certificate that outlives the change",
      { authority: authority("old", 29), serving: serving("old", 5), bundle: bundle("old") },
      { settled: true },
      { serving: expect.stringMatching(/^it ends on/) },
    ],
    [
      "both are due, and the authority too old to sign: the authority",
      { authority: authority("old", 6), serving: serving("old", 5), bundle: bundle("old") },
      { settled: true },
      { authority: expect.stringMatching(/^it ends on/) },
    ],
    [
      "the new authority is not trusted for long enough",
      { authority: authority("new", 89), serving: serving("old", 20), bundle: bundle("new", "old") },
      {},
      {},
    ],
    [
      "now it is",
      { authority: authority("new", 89), serving: serving("old", 20), bundle: bundle("new", "old") },
      { settled: true },
      { serving: "there is a new authority" },
    ],
    [
      "a serving certificate that is due waits for the new authority",
      { authority: authority("new", 89), serving: serving("old", 5), bundle: bundle("new", "old") },
      {},
      {},
    ],
    [
      "one that is spoiled does not: nothing could start",
      { authority: authority("new", 89), serving: fault, bundle: bundle("new", "old") },
      {},
      { serving: "it is broken" },
    ],
    [
      "the authority's key is lost, the serving certificate is not",
      { authority: fault, serving: serving("old", 20), bundle: bundle("old") },
      { settled: true },
      { authority: "it is broken" },
    ],
    [
      "somebody has put an authority in without the bundle",
      { authority: authority("new", 80), serving: serving("old", 20), bundle: bundle("old") },
      {},
      { bundle: "the authority is not in it" },
    ],
    [
      "somebody's authority with a shorter life is renewed at two thirds of that",
      { authority: authority("short", 12, 30), serving: serving("short", 12), bundle: bundle("short") },
      { settled: true },
      {},
    ],
  ])("%s", (_, held, { settled = false, names = ["a"] }, wanted) => {
    expect(plan(held, { now, names, times, settled })).toEqual(wanted);
  });
});
