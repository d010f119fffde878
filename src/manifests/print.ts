import { Document, Pair, Scalar, isMap, isSeq, visit } from "yaml";
import type { DocumentOptions, Node, ParseOptions, SchemaOptions, Tags, ToStringOptions } from "yaml";
import { isMapping, same } from "./align.ts";

// kubectl and Helm read YAML 1.1 as Go does: 0755 is octal and `on` is true, but 2024-01-01 and 22:22 are strings.
export const options: ParseOptions & DocumentOptions & SchemaOptions = {
  version: "1.1",
  merge: true,
  intAsBigInt: true, // so that what we don't touch keeps all its digits
  customTags: (tags: Tags) =>
    tags.filter((tag) => typeof tag === "string" || !(/:(timestamp|binary)$/.test(tag.tag) || tag.format === "TIME")),
};

/** A document's value, as plain data. */
export function valueOf(document: Document): unknown {
  return document.toJS({ reviver: (_key, one: unknown) => (typeof one === "bigint" ? Number(one) : one) });
}

/** A node as YAML, without a newline at its end. */
export function print(contents: Node, layout: ToStringOptions): string {
  const document = new Document(null, options);
  document.contents = contents;
  document.directives = undefined!; // or their line would be printed
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, ...layout }).replace(/\n$/, "");
}

/**
 * A node for a new value. What begins like a number is quoted: 0o17 is a string to YAML 1.1, and a number to kubectl.
 */
export function newNode(value: unknown): Node {
  const node = new Document(null, options).createNode(value, { aliasDuplicateObjects: false }) as Node;
  visit(node, {
    Scalar(_key, scalar) {
      const isOdd = typeof scalar.value === "string" && /^[-+.~]?[\d.]|^[-+.~]$/.test(scalar.value);
      if (isOdd && !String(scalar.value).includes("\n")) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return node;
}

/**
 * A node after a change of its value; what is the same keeps its style and its comments. What was on one line stays so,
 * but for a text of several lines: within [brackets] a script would be one long quoted line. Aliases are written out.
 *
 * @param before the node's value
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

/** Whether a node refers to another one, or something in it does. */
export function hasAliases(node: Node | Document): boolean {
  let found = false;
  visit(node, { Alias: () => ((found = true), visit.BREAK) });
  return found;
}

/** Whether a key is `<<`, whose value is merged into the map. */
export function isMerge({ value }: Scalar): boolean {
  return typeof value === "symbol" || value === "<<";
}
