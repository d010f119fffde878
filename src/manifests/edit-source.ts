import { isAlias, isCollection, isSeq, visit } from "yaml";
import type { Document, Node } from "yaml";
import { align, isMapping, same } from "./align.ts";
import { isMerge } from "./print.ts";
import { slotEditor } from "./slot-editor.ts";
import type { Entry, SlotEditor } from "./slot-editor.ts";
import { slotsOf } from "./slots.ts";
import type { Slot } from "./slots.ts";
import { startTextEdits } from "./text-edits.ts";

/**
 * Edits the text of a document so that it has a new value. Only the lines of changed values are written. All other lines are
 * kept byte for byte, with comments, quotes, spacing and line endings.
 *
 * @param text the whole text that the document was parsed from, with `keepSourceTokens`
 * @param part the start and the end of the document in the text
 * @returns the new text of that part. Undefined if the document cannot be edited in place: its root is in flow style
 *   (`{…}`), or it uses YAML syntax that is not supported here. The caller checks that the new text has the value `after`
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
    const edits = startTextEdits(text);
    const editor = slotEditor(edits, { indentSeq: indentsSequences(root) });
    const whole: Slot = { node: root, indent: 0, start: 0, valueStart: 0, end: 0, fullEnd: 0 };
    change({ editor, anchors: changedAnchors() }, whole, before, after);
    return edits.result(part);
  } catch {
    return undefined; // an alias to a removed anchor, or YAML syntax that slotsOf does not support
  }
}

/** The tools for editing one text. */
interface Editing {
  readonly editor: SlotEditor;
  readonly anchors: ReturnType<typeof changedAnchors>;
}

function change(editing: Editing, slot: Slot, before: unknown, after: unknown): void {
  const { node } = slot;
  if (same(before, after) && !editing.anchors.isUsedBy(node)) return;
  editing.anchors.add(node);
  const isBlock = isCollection(node) && !node.flow;
  if (isBlock && isMapping(before) && isMapping(after)) changeMap(editing, slot, before, after);
  else if (isBlock && Array.isArray(before) && Array.isArray(after)) changeSeq(editing, slot, before, after);
  else replace(editing, slot, before, after);
}

function replace({ editor, anchors }: Editing, slot: Slot, before: unknown, after: unknown): void {
  anchors.addAllIn(slot.node);
  editor.replace(slot, before, after);
}

function remove({ editor, anchors }: Editing, slots: readonly Slot[], index: number): void {
  anchors.addAllIn(slots[index]!.node);
  editor.remove(slots, index);
}

type Mapping = Readonly<Record<string, unknown>>;

function changeMap(editing: Editing, slot: Slot, before: Mapping, after: Mapping): void {
  const slots = slotsOf(slot.node);
  const kept = slots.filter(({ key }) => isMerge(key!) || after[String(key!.value)] !== undefined);
  if (kept.length === 0) return replace(editing, slot, before, after);
  for (const [index, one] of slots.entries()) {
    const key = String(one.key!.value);
    if (!kept.includes(one)) remove(editing, slots, index);
    else if (!isMerge(one.key!)) change(editing, one, before[key], after[key]);
  }
  const names = new Set(slots.map(({ key }) => String(key!.value)));
  const added = Object.keys(after).filter((key) => after[key] !== undefined && !names.has(key));
  const own = added.filter((key) => !same(before[key], after[key])); // the others come from a merge key
  const entries = own.map((key) => ({ key, value: after[key] }));
  editing.editor.insert(slots.at(-1)!, entries);
}

function changeSeq(editing: Editing, slot: Slot, before: readonly unknown[], after: readonly unknown[]): void {
  const slots = slotsOf(slot.node);
  const partners = align(before, after);
  if (slots.length !== before.length || partners.every((one) => one === undefined)) {
    return replace(editing, slot, before, after);
  }
  editing.editor.insertAtHead(slots[0]!, newItems(after, partners));
  for (const [index, one] of slots.entries()) {
    const now = partners.indexOf(index);
    if (now < 0) {
      remove(editing, slots, index);
    } else {
      change(editing, one, before[index], after[now]);
      editing.editor.insert(one, newItems(after, partners, now));
    }
  }
}

/** The new items after the item at `from` (by default, from the start of the list) up to the next item that has a match. */
function newItems(after: readonly unknown[], partners: readonly (number | undefined)[], from = -1): Entry[] {
  const end = partners.findIndex((one, index) => index > from && one !== undefined);
  return after.slice(from + 1, end < 0 ? undefined : end).map((value) => ({ value }));
}

/** Collects the anchors of changed and removed nodes. Aliases to them must be replaced by their value. */
function changedAnchors() {
  const changed = new Set<string>();
  return {
    add: (node: Node | null) => void (node && !isAlias(node) && node.anchor !== undefined && changed.add(node.anchor)),
    addAllIn(node: Node | null) {
      if (node) visit(node, { Value: (_key, { anchor }) => void (anchor !== undefined && changed.add(anchor)) });
    },
    isUsedBy(node: Node | null): boolean {
      let found = false;
      if (node) visit(node, { Alias: (_key, { source }) => void (found ||= changed.has(source)) });
      return found;
    },
  };
}

/** Whether the document indents lists in maps further than their keys. New lists are then indented in the same way. */
function indentsSequences(root: Node): boolean {
  let indents: boolean | undefined;
  visit(root, {
    Map(_key, { items, srcToken }) {
      const tokens = items.map(({ value }) => (isSeq(value) ? value.srcToken : undefined));
      const list = tokens.find((token) => token?.type === "block-seq");
      if (list && srcToken?.type === "block-map") indents ??= list.indent > srcToken.indent;
    },
  });
  return indents ?? false;
}
