import jsonPatch from "fast-json-patch";
import type { Operation } from "fast-json-patch";

export type JsonPatch = Operation[];

/**
 * The JSON Patch (RFC 6902) that turns `before` into `after`. Comparing parts that are the same object in both costs
 * nothing. That is why mutations get a copy of only a few parts (src/engine/editing.ts).
 */
export function diff(before: object, after: object): JsonPatch {
  return jsonPatch.compare(before, after);
}
