import * as fc from "fast-check";
import { Document, isCollection, visit } from "yaml";
import type { Node } from "yaml";

/** The styles in which a pod can be written as YAML. */
export const yamlStyles = fc.record({
  indent: fc.constantFrom(2, 3, 5),
  indentSeq: fc.boolean(),
  defaultStringType: fc.constantFrom("PLAIN" as const, "QUOTE_SINGLE" as const, "QUOTE_DOUBLE" as const),
  flowCollectionPadding: fc.boolean(),
  aliases: fc.boolean(),
  windows: fc.boolean(),
  lastNewline: fc.boolean(),
  /** How many of 10 collections are in brackets (flow style), and how many of 10 lines have comments. */
  brackets: fc.nat(4),
  comments: fc.nat(6),
  random: fc.infiniteStream(fc.nat(9)),
});

type Style = typeof yamlStyles extends fc.Arbitrary<infer T> ? T : never;

/** Writes a value as YAML 1.1 in this style, with comments that are all different. */
export function writeYaml(value: unknown, style: Style): string {
  const { aliases, windows, lastNewline, brackets, comments, random, ...layout } = style;
  const chance = (outOfTen: number) => (random.next().value as number) < outOfTen;
  const known = new Map<string, unknown>();
  const interned = JSON.parse(JSON.stringify(value), (_key, one: unknown) => {
    if (typeof one !== "object" || one === null || !aliases) return one;
    const text = JSON.stringify(one);
    if (!known.has(text)) known.set(text, one);
    return known.get(text);
  }) as unknown;
  const document = new Document(interned, { version: "1.1", aliasDuplicateObjects: aliases });
  let count = 0;
  visit(document, {
    Collection(_key, node) {
      if (node !== document.contents && chance(brackets)) node.flow = true;
    },
    Pair(_key, { key }, path) {
      const inBrackets = path.some((one) => isCollection(one) && one.flow);
      if (!inBrackets && chance(comments)) (key as Node).commentBefore = ` above ${(count += 1)}`;
    },
    Value(key, node, path) {
      const inBrackets = path.some((one) => isCollection(one) && one.flow);
      const isOnOneLine = !isCollection(node) || node.flow;
      if (!inBrackets && isOnOneLine && key !== "key" && chance(comments)) node.comment = ` beside ${(count += 1)}`;
    },
  });
  document.commentBefore = " what it is";
  let text = document.toString({ ...layout, lineWidth: 0, directives: false });
  if (!lastNewline) text = text.trimEnd();
  return windows ? text.replaceAll("\n", "\r\n") : text;
}
