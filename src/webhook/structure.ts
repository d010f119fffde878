export interface StructureLimits {
  /** The maximum nesting depth of lists and maps. */
  readonly depth: number;
  /** The maximum number of keys and values. */
  readonly parts: number;
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openList, closeList, openMap, closeMap] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Whether a JSON text is more complex than the limits allow. A megabyte of `[` or of `{},` takes a hundred megabytes when
 * it is parsed. Scanning its bytes takes a millisecond. The text does not have to be valid JSON.
 */
export function isTooComplex(json: Buffer, { depth: maxDepth, parts: maxParts }: StructureLimits): boolean {
  let depth = 0;
  let parts = 0;
  for (let index = 0; index < json.length; index += 1) {
    const byte = json[index];
    if (byte === quote) {
      index = endOfString(json, index + 1);
    } else if (byte === comma || byte === colon) {
      parts += 1;
    } else if (byte === openMap || byte === openList) {
      parts += 1;
      depth += 1;
    } else if (byte === closeMap || byte === closeList) {
      depth -= 1;
    } else continue;
    if (parts > maxParts || depth > maxDepth) return true;
  }
  return false;
}

/** The index of the closing quote of a string. `index` is the first character after the opening quote. */
function endOfString(json: Buffer, index: number): number {
  let at = index;
  while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1;
  return at;
}
