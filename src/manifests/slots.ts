import { isMap, isScalar, isSeq } from "yaml";
import type { CST, Node, Pair, Scalar } from "yaml";

/** Where a value is in the text: that of a map's key, or a list's item. Offsets count from the beginning of the text. */
export interface Slot {
  /** Null where nothing is written. */
  readonly node: Node | null;
  /** Of a map's. */
  readonly key?: Scalar;
  /** The column of the key, or of the item's dash. */
  readonly indent: number;
  /** Where the key or the dash is. */
  readonly start: number;
  /** Behind the colon or the dash. */
  readonly valueStart: number;
  /** Behind the last character that is written, comments not counted. */
  readonly end: number;
  /** The same, with the empty lines that belong to a block of text. */
  readonly fullEnd: number;
}

/**
 * The slots of a map or a list in block style, in their order.
 *
 * @throws {Error} if it is none, or is written in a way that is not edited: keys after a `?`, with anchors, or that are no
 *   scalars
 */
export function slotsOf(node: Node | null): Slot[] {
  const token = node?.srcToken;
  if (isMap(node) && token?.type === "block-map") {
    const pairs = node.items as (Pair<Scalar, Node | null> & { srcToken?: CST.CollectionItem })[];
    return pairs.map((pair): Slot => {
      const { key, value, srcToken } = pair;
      const colon = srcToken?.sep?.find(({ type }) => type === "map-value-ind");
      const isPlain = srcToken?.start.every(({ type }) => ["space", "newline", "comment"].includes(type));
      if (!isScalar(key) || !key.range || !colon || !isPlain) throw new Error("a key that is not edited");
      return slot(value, { key, indent: token.indent, start: key.range[0], valueStart: colon.offset + 1 });
    });
  }
  if (isSeq<Node>(node) && token?.type === "block-seq") {
    const items = token.items.filter(({ start }) => start.some(({ type }) => type === "seq-item-ind"));
    return items.map((item, index): Slot => {
      const dash = item.start.find(({ type }) => type === "seq-item-ind")!;
      const { offset: start } = dash;
      return slot(node.items[index] ?? null, { indent: token.indent, start, valueStart: start + 1 });
    });
  }
  throw new Error("neither a map nor a list in block style");
}

function slot(node: Node | null, place: Pick<Slot, "key" | "indent" | "start" | "valueStart">): Slot {
  const [end, fullEnd] = endsOf(node) ?? [place.valueStart, place.valueStart];
  return { node, ...place, end, fullEnd };
}

/** Where a node's text ends, without and with empty lines; undefined where there is none. */
function endsOf(node: Node | null): [number, number] | undefined {
  const token = node?.srcToken;
  if (!node?.range) return undefined;
  if (token?.type === "block-map" || token?.type === "block-seq") {
    const last = slotsOf(node).at(-1);
    return last && [last.end, last.fullEnd];
  }
  const [start, end] = node.range;
  if (start === end) return undefined;
  if (token?.type !== "block-scalar") return [end, end];
  return [end - (token.source.length - token.source.trimEnd().length), end];
}
