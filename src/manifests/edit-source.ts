import { Pair, YAMLMap, YAMLSeq, isAlias, isCollection, isMap, isSeq, visit } from "yaml";
import type { Document, Node, ToStringOptions } from "yaml";
import { align, isMapping, same } from "./align.ts";
import { changedNode, isMerge, newNode, print } from "./print.ts";
import { slotsOf } from "./slots.ts";
import type { Slot } from "./slots.ts";

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Changes the text of a document so that its value becomes another one. Only the lines of what changes are written: the
 * others stay as they are to the byte, with comments, quotes, spacing and line ends.
 *
 * @param text the whole text that the document was parsed from, with `keepSourceTokens`
 * @param part where the document begins and ends in it
 * @returns the new text of that part; undefined where it cannot be edited in place: the root is in {brackets}, or
 *   something is written in a way that is not known here. The caller checks that the text means `after`.
 */
export function editSource(
  document: Document,
  text: string,
  part: { readonly start: number; readonly end: number },
  before: unknown,
  after: unknown,
): string | undefined {
  const root = document.contents;
  if (!isCollection(root) || root.flow) return undefined;
  try {
    const edits = editsOf(root, text, before, after).toSorted((a, b) => a.start - b.start);
    let [result, at] = ["", part.start];
    for (const { start, end, text: replacement } of edits) {
      if (start < at) return undefined;
      result += text.slice(at, start) + replacement;
      at = end;
    }
    return result + text.slice(at, part.end);
  } catch {
    return undefined; // an alias to what is gone, or a form of YAML that slotsOf does not know
  }
}

/** The edits, in the order of the text; of two at one place, the first comes first. */
function editsOf(root: Node, text: string, rootBefore: unknown, rootAfter: unknown): Edit[] {
  const edits: Edit[] = [];
  const eol = /\r?\n/.exec(text)?.[0] ?? "\n";
  const layout: ToStringOptions = { indentSeq: indentsSequences(root) };
  const changedAnchors = new Set<string>();

  const add = (start: number, end: number, replacement: string) =>
    void edits.push({ start, end, text: replacement.replaceAll(/\r?\n/g, eol) });
  const lineStart = (offset: number) => text.lastIndexOf("\n", offset - 1) + 1;
  const lineEnd = (offset: number) => /[^\r\n]*/y.exec(text.slice(offset))![0].length + offset;
  const nextLine = (offset: number) => {
    if (text[offset - 1] === "\n") return offset; // a block of text ends where the next line begins
    return text.includes("\n", offset) ? text.indexOf("\n", offset) + 1 : text.length;
  };
  const isFirstOfLine = (offset: number) => text.slice(lineStart(offset), offset).trim() === "";

  function change(slot: Slot, before: unknown, after: unknown): void {
    const { node } = slot;
    if (same(before, after) && !refersToChanged(node)) return;
    if (node && !isAlias(node) && node.anchor !== undefined) changedAnchors.add(node.anchor);
    if (isMap(node) && !node.flow && isMapping(before) && isMapping(after)) changeMap(slot, before, after);
    else if (isSeq(node) && !node.flow && Array.isArray(before) && Array.isArray(after)) changeSeq(slot, before, after);
    else replace(slot, before, after);
  }

  /** What refers to a node, or to one within it, has to be written out. */
  function forget(node: Node | null): void {
    if (node) visit(node, { Value: (_key, { anchor }) => void (anchor !== undefined && changedAnchors.add(anchor)) });
  }

  function refersToChanged(node: Node | null): boolean {
    let found = false;
    if (node && changedAnchors.size > 0) {
      visit(node, { Alias: (_key, { source }) => void (found ||= changedAnchors.has(source)) });
    }
    return found;
  }

  function changeMap(slot: Slot, before: Readonly<Record<string, unknown>>, after: typeof before): void {
    const slots = slotsOf(slot.node);
    const kept = slots.filter(({ key }) => isMerge(key!) || after[String(key!.value)] !== undefined);
    if (kept.length === 0) return replace(slot, before, after);
    for (const [index, one] of slots.entries()) {
      const key = String(one.key!.value);
      if (!kept.includes(one)) remove(slots, index);
      else if (!isMerge(one.key!)) change(one, before[key], after[key]);
    }
    const names = new Set(slots.map(({ key }) => String(key!.value)));
    const added = Object.keys(after).filter((key) => after[key] !== undefined && !names.has(key));
    const own = added.filter((key) => !same(before[key], after[key])); // the others come from a merge
    insert(
      slots.at(-1)!,
      own.map((key) => pairText(key, newNode(after[key]))),
    );
  }

  function changeSeq(slot: Slot, before: readonly unknown[], after: readonly unknown[]): void {
    const slots = slotsOf(slot.node);
    const partners = align(before, after);
    if (slots.length !== before.length || partners.every((one) => one === undefined)) {
      return replace(slot, before, after);
    }
    const newAfter = (from: number | undefined) => {
      const first = from === undefined ? 0 : partners.indexOf(from) + 1;
      const last = partners.findIndex((one, index) => index >= first && one !== undefined);
      return after.slice(first, last < 0 ? undefined : last).map((value) => itemText(newNode(value)));
    };
    insertAtHead(slots[0]!, newAfter(undefined));
    for (const [index, one] of slots.entries()) {
      const now = partners.indexOf(index);
      if (now < 0) remove(slots, index);
      else change(one, before[index], after[now]);
      if (now >= 0) insert(one, newAfter(index));
    }
  }

  /** Writes a new value in the place of a slot's. A comment at the end of its line stays on the first line. */
  function replace({ node, key, indent, valueStart, end }: Slot, before: unknown, after: unknown): void {
    forget(node);
    const isBlock = isCollection(node) && !node.flow;
    const value = isCollection(node) && !isBlock ? changedNode(node.clone() as Node, before, after) : newNode(after);
    value.comment = null; // it is behind the value, where it stays
    const printed = indented(key ? pairText("k", value).slice(2) : itemText(value).slice(1), indent);
    const start = node?.range?.[0] ?? end;
    if (!printed.includes("\n")) {
      if (isBlock || start >= end) add(valueStart, end, printed);
      else add(start, end, printed.trimStart());
    } else if (isBlock && printed.startsWith("\n") && isFirstOfLine(start)) {
      add(lineStart(start), end, printed.slice(1)); // comments before it stay
    } else {
      const comment = /^\s+#.*/.exec(text.slice(end, lineEnd(end)))?.[0] ?? "";
      add(
        valueStart,
        end + comment.length,
        printed.replace("\n", () => `${comment}\n`),
      );
    }
  }

  function remove(slots: readonly Slot[], index: number): void {
    const { node, start, end } = slots[index]!;
    forget(node);
    const following = slots[index + 1];
    if (isFirstOfLine(start)) add(lineStart(start), nextLine(end), "");
    else if (following) add(start, following.start, "");
    else throw new Error("what comes before it on the line would be left alone");
  }

  /** Adds lines after a slot; `lines` are not indented yet. */
  function insert({ indent, fullEnd }: Slot, entries: readonly string[]): void {
    const at = nextLine(fullEnd);
    const isOpen = at === text.length && !text.endsWith("\n");
    for (const entry of entries) {
      const lines = " ".repeat(indent) + indented(entry, indent);
      add(at, at, isOpen ? `\n${lines}` : `${lines}\n`);
    }
  }

  function insertAtHead({ start, indent }: Slot, entries: readonly string[]): void {
    const pad = " ".repeat(indent);
    for (const entry of entries) {
      const lines = indented(entry, indent);
      if (isFirstOfLine(start)) add(lineStart(start), lineStart(start), `${pad}${lines}\n`);
      else add(start, start, `${lines}\n${pad}`);
    }
  }

  const pairText = (key: string, value: Node) => {
    const map = new YAMLMap();
    map.items.push(new Pair(newNode(key), value));
    return print(map, layout);
  };
  const itemText = (value: Node) => {
    const seq = new YAMLSeq();
    seq.items.push(value);
    return print(seq, layout);
  };

  change({ node: root, indent: 0, start: 0, valueStart: 0, end: 0, fullEnd: 0 }, rootBefore, rootAfter);
  return edits;
}

/** All lines but the first further to the right; empty ones stay empty. */
function indented(text: string, indent: number): string {
  return text.replaceAll(/\n(?=[^\n])/g, `\n${" ".repeat(indent)}`);
}

/** Whether the lists in maps are further to the right than their keys: what is new is then so as well. */
function indentsSequences(root: Node): boolean {
  let indents: boolean | undefined;
  visit(root, {
    Map(_key, { items, srcToken }) {
      const lists = items.map(({ value }) => (isSeq(value) ? value.srcToken : undefined));
      const [list] = lists.filter((token) => token?.type === "block-seq");
      if (list && srcToken?.type === "block-map") indents ??= list.indent > srcToken.indent;
    },
  });
  return indents ?? false;
}
