export interface StructureLimits {
  /** Lists and maps within each other. */
  readonly depth: number;
  /** Everything that becomes a value or a key. */
  readonly parts: number;
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openList, closeList, openMap, closeMap] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Whether a JSON text has more structure than the limits allow. A megabyte of `[` or of `{},` takes a hundred megabytes
 * once it is parsed; to look through its bytes takes a millisecond. The text need not be valid.
 */
export function isTooComplex(json: Buffer, { depth: deepest, parts: most }: StructureLimits): boolean {
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
    if (parts > most || depth > deepest) return true;
  }
  return false;
}

/** Where the string that begins at `index` has its closing quote. */
function endOfString(json: Buffer, index: number): number {
  let at = index;
  while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1;
  return at;
}
