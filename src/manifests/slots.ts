import { isMap, isScalar, isSeq } from "yaml";
import type { CST, Node, Pair, Scalar } from "yaml";

/** The position of a map's pair or a list's item in the text. Offsets count from the start of the text. */
export interface Slot {
  /** The value. Null if it is empty. */
  readonly node: Node | null;
  /** The key, for a pair of a map. */
  readonly key?: Scalar;
  /** The column of the key or the dash. */
  readonly indent: number;
  /** The offset of the key or the dash. */
  readonly start: number;
  /** The offset after the colon or the dash. */
  readonly valueStart: number;
  /** The offset after the value's last character, without comments. */
  readonly end: number;
  /** Like `end`, but after the empty lines that belong to a block scalar. */
  readonly fullEnd: number;
}

/**
 * The slots of a map or a list in block style, in order.
 *
 * @throws {Error} if the node is not such a map or list, or if its syntax is not supported: keys after a `?`, with anchors,
 *   or that are not scalars
 */
export function slotsOf(node: Node | null): Slot[] {
  const token = node?.srcToken;
  if (isMap(node) && token?.type === "block-map") {
    const pairs = node.items as (Pair<Scalar, Node | null> & { srcToken?: CST.CollectionItem })[];
    return pairs.map((pair): Slot => {
      const { key, value, srcToken } = pair;
      const colon = srcToken?.sep?.find(({ type }) => type === "map-value-ind");
      const isPlain = srcToken?.start.every(({ type }) => ["space", "newline", "comment"].includes(type));
      if (!isScalar(key) || !key.range || !colon || !isPlain) throw new Error("unsupported syntax of a key");
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
  throw new Error("not a map or a list in block style");
}

function slot(node: Node | null, place: Pick<Slot, "key" | "indent" | "start" | "valueStart">): Slot {
  const [end, fullEnd] = endsOf(node) ?? [place.valueStart, place.valueStart];
  return { node, ...place, end, fullEnd };
}

/** The end offsets of a node's text, without and with trailing empty lines. Undefined if the node has no text. */
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
