import { admissionReview } from "../../../src/cli/admission-client.ts";
import { pods } from "./pods.ts";

let state = 0x2545f491;

/** Starts another series of numbers. Any integer except 0. */
export function seed(value: number): void {
  state = value;
}

/** A number below `below`; the same series in every run. */
export function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

export function oneOf<T>(list: readonly T[]): T {
  return list[random(list.length)]!;
}

const values: readonly unknown[] = [null, 0, -1, 1e308, "", "x".repeat(5000), [], {}, [[]], [null], { a: {} }, true];
const tokens = ["{", "}", "[", "]", ",", ":", '"', "\\", "\u0000", "\\u0000", "1e999", "null", '"__proto__":'];

/** Damaged reviews: values of other types, or bytes that were changed, added or removed. */
export function malformed(count: number): Buffer[] {
  return Array.from({ length: count }, () => {
    const review = admissionReview(structuredClone(oneOf(pods)), "arc-runners");
    for (let times = random(4); times > 0; times -= 1) replaceSomething(review);
    const bytes = Buffer.from(JSON.stringify(review));
    const kind = random(5);
    if (kind === 0) return bytes.subarray(0, random(bytes.length));
    if (kind === 1) for (let times = 1 + random(8); times > 0; times -= 1) bytes[random(bytes.length)] = random(256);
    if (kind === 2) return insert(bytes, Buffer.from(oneOf(tokens).repeat(1 + random(300))));
    if (kind === 3) return insert(bytes, Buffer.from(JSON.stringify(oneOf(values))));
    return bytes;
  });
}

function insert(bytes: Buffer, more: Buffer): Buffer {
  const at = random(bytes.length);
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}

/** Walks down a random path from the root, and replaces the value at its end. */
export function replaceSomething(root: object): void {
  let parent = root as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(parent);
    if (keys.length === 0) return;
    const key = oneOf(keys);
    const next = parent[key];
    if (typeof next === "object" && next !== null && random(6) > 0) parent = next as Record<string, unknown>;
    else {
      parent[key] = structuredClone(oneOf(values));
      return;
    }
  }
}
