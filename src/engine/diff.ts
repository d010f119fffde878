import jsonPatch from "fast-json-patch";
import type { Operation } from "fast-json-patch";

export type JsonPatch = Operation[];

/**
 * The JSON Patch (RFC 6902) that turns `before` into `after`. Parts that are the same object in both cost nothing,
 * which is why mutations get copies of so little (src/engine/editing.ts).
 */
export function diff(before: object, after: object): JsonPatch {
  return jsonPatch.compare(before, after);
}
