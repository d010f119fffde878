import { Pair, YAMLMap, YAMLSeq, isCollection } from "yaml";
import type { Node, ToStringOptions } from "yaml";
import { changedNode, newNode, print } from "./print.ts";
import type { Slot } from "./slots.ts";
import type { TextEdits } from "./text-edits.ts";

/** Edits the slots of a text. Each function adds the necessary text edits. */
export interface SlotEditor {
  /** Replaces the value of a slot. A comment at the end of its line is kept on the first line. */
  replace(slot: Slot, before: unknown, after: unknown): void;
  /**
   * Removes one of the slots of a map or a list. Comments on the lines before it are kept.
   *
   * @throws {Error} if the slot is the last one and does not start on its own line
   */
  remove(slots: readonly Slot[], index: number): void;
  /** Inserts entries after a slot. */
  insert(after: Slot, entries: readonly Entry[]): void;
  /** Inserts items before the first slot of a list. */
  insertAtHead(first: Slot, entries: readonly Entry[]): void;
}

/** A new pair of a map, or a new item of a list. Items have no key. */
export interface Entry {
  readonly key?: string;
  readonly value: unknown;
}

export function slotEditor(edits: TextEdits, layout: ToStringOptions): SlotEditor {
  const { add, text, lineStart, lineEnd, nextLine, isFirstOfLine } = edits;

  const written = (entry: Entry, indent: number) =>
    indented(entryText(entry.key, newNode(entry.value), layout), indent);

  return {
    replace({ node, key, indent, valueStart, end }, before, after) {
      const isBlock = isCollection(node) && !node.flow;
      const value = isCollection(node) && !isBlock ? changedNode(node.clone() as Node, before, after) : newNode(after);
      value.comment = null; // the text already has the comment after the value
      const printed = indented(entryText(key && "k", value, layout).slice(key ? 2 : 1), indent);
      const start = node?.range?.[0] ?? end;
      if (!printed.includes("\n")) {
        if (isBlock || start >= end) add(valueStart, end, printed);
        else add(start, end, printed.trimStart());
      } else if (isBlock && printed.startsWith("\n") && isFirstOfLine(start)) {
        add(lineStart(start), end, printed.slice(1)); // comments before it are kept
      } else {
        const comment = /^\s+#.*/.exec(text.slice(end, lineEnd(end)))?.[0] ?? "";
        const [first = "", ...rest] = printed.split("\n");
        add(valueStart, end + comment.length, [first + comment, ...rest].join("\n"));
      }
    },

    remove(slots, index) {
      const { start, end } = slots[index]!;
      const following = slots[index + 1];
      if (isFirstOfLine(start)) add(lineStart(start), nextLine(end), "");
      else if (following) add(start, following.start, "");
      else throw new Error("the slot does not start on its own line, and none follows");
    },

    insert({ indent, fullEnd }, entries) {
      const at = nextLine(fullEnd);
      const isOpen = at === text.length && !text.endsWith("\n");
      for (const entry of entries) {
        const lines = " ".repeat(indent) + written(entry, indent);
        add(at, at, isOpen ? `\n${lines}` : `${lines}\n`);
      }
    },

    insertAtHead({ start, indent }, entries) {
      const pad = " ".repeat(indent);
      for (const entry of entries) {
        const lines = written(entry, indent);
        if (isFirstOfLine(start)) add(lineStart(start), lineStart(start), `${pad}${lines}\n`);
        else add(start, start, `${lines}\n${pad}`);
      }
    },
  };
}

function entryText(key: string | undefined, value: Node, layout: ToStringOptions): string {
  const collection = key === undefined ? new YAMLSeq<Node>() : new YAMLMap<Node, Node>();
  if (collection instanceof YAMLSeq) collection.items.push(value);
  else collection.items.push(new Pair(newNode(key), value));
  return print(collection, layout);
}

/** Indents all lines except the first one and empty lines. */
function indented(text: string, indent: number): string {
  return text.replaceAll(/\n(?=[^\n])/g, `\n${" ".repeat(indent)}`);
}
