import { Document, Pair, Scalar, isMap, isSeq, visit } from "yaml";
import type { DocumentOptions, Node, ParseOptions, SchemaOptions, Tags, ToStringOptions } from "yaml";
import { isMapping, same } from "./align.ts";

// kubectl and Helm read YAML 1.1 as Go does: 0755 is octal and `on` is true, but 2024-01-01 and 22:22 are strings.
export const options: ParseOptions & DocumentOptions & SchemaOptions = {
  version: "1.1",
  merge: true,
  intAsBigInt: true, // so that unchanged integers keep all their digits
  customTags: (tags: Tags) =>
    tags.filter((tag) => typeof tag === "string" || !(/:(timestamp|binary)$/.test(tag.tag) || tag.format === "TIME")),
};

/** The value of a document as plain data. */
export function valueOf(document: Document): unknown {
  return document.toJS({ reviver: (_key, one: unknown) => (typeof one === "bigint" ? Number(one) : one) });
}

/** Prints a node as YAML, without a newline at the end. */
export function print(contents: Node, layout: ToStringOptions): string {
  const document = new Document(null, options);
  document.contents = contents;
  document.directives = undefined!; // otherwise they would be printed
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, ...layout }).replace(/\n$/, "");
}

/**
 * Creates a node for a new value. A string that starts like a number is quoted: 0o17 is a string in YAML 1.1, but a number
 * for kubectl.
 */
export function newNode(value: unknown): Node {
  const node = new Document(null, options).createNode(value, { aliasDuplicateObjects: false }) as Node;
  visit(node, {
    Scalar(_key, scalar) {
      const looksLikeNumber = typeof scalar.value === "string" && /^[-+.~]?[\d.]|^[-+.~]$/.test(scalar.value);
      if (looksLikeNumber && !String(scalar.value).includes("\n")) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return node;
}

/**
 * Changes the value of a node. Unchanged parts keep their style and their comments, and aliases are replaced by their
 * value. A collection in flow style (`[…]`) keeps that style, unless it contains a text of several lines: in flow style, a
 * script would be one long quoted line.
 *
 * @param before the current value of the node
 */
export function changedNode(node: Node | null, before: unknown, after: unknown): Node {
  if (node && !hasAliases(node) && same(before, after)) return node;
  if (isMap<Scalar, Node | null>(node) && isMapping(before) && isMapping(after)) {
    for (const [key, value] of Object.entries(after)) {
      const pair = node.items.find((one) => String(one.key.value) === key);
      if (pair) pair.value = changedNode(pair.value, before[key], value);
      else node.items.push(new Pair(newNode(key) as Scalar, newNode(value)));
    }
    node.items = node.items.filter(({ key }) => after[String(key.value)] !== undefined || isMerge(key));
  } else if (isSeq<Node>(node) && Array.isArray(before) && Array.isArray(after)) {
    const { items } = node;
    const reuse = before.length === after.length;
    node.items = after.map((value, index) =>
      reuse ? changedNode(items[index]!, before[index], value) : newNode(value),
    );
  } else {
    return newNode(after);
  }
  if (JSON.stringify(after).includes("\\n")) node.flow = false;
  return node;
}

/** Whether a node is an alias or contains one. */
export function hasAliases(node: Node | Document): boolean {
  let found = false;
  visit(node, { Alias: () => ((found = true), visit.BREAK) });
  return found;
}

/** Whether a key is the merge key `<<`. */
export function isMerge({ value }: Scalar): boolean {
  return typeof value === "symbol" || value === "<<";
}
