import { isCollection, isNode, isPair, parseAllDocuments, parseDocument } from "yaml";
import type { Document, Node } from "yaml";
import { same } from "./align.ts";
import { editSource } from "./edit-source.ts";
import { changedNode, hasAliases, newNode, options, valueOf } from "./print.ts";

/**
 * One document of a manifest file. `source` is its part of the file's text, including the separator. The sources of all
 * documents, joined, are the complete text.
 */
export interface ManifestDocument {
  readonly source: string;
  readonly value: unknown;
  /** The document's text with a new value, and the text to compare it with. */
  changed(value: unknown): Change;
}

/**
 * A document's text before and after a change. In block style, `before` is the source, and `after` differs from it only in
 * the lines that had to change. If the whole document is in flow style (`{…}`, as in JSON), both are formatted anew, with
 * the comments.
 */
export interface Change {
  readonly before: string;
  readonly after: string;
}

/**
 * Reads YAML or JSON with one or more documents.
 *
 * @param name the file's name, for error messages
 * @throws {Error} if the text is neither YAML nor JSON. The message contains the file and the line
 */
export function readManifests(text: string, name: string): ManifestDocument[] {
  const documents = [...parseAllDocuments(text, { ...options, prettyErrors: true, keepSourceTokens: true })];
  if (documents.length === 0) return [manifest(parseDocument("", options), text, 0, text.length)]; // empty, or only comments
  let end = 0;
  return documents.map((document, index) => {
    const [error] = document.errors;
    if (error) throw new Error(`${name}: ${error.message}`);
    const start = end;
    end = index === documents.length - 1 ? text.length : document.range[2];
    return manifest(document, text, start, end);
  });
}

function manifest(document: Document, text: string, start: number, end: number): ManifestDocument {
  const value = valueOf(document);
  const source = text.slice(start, end);
  return {
    source,
    value,
    changed(after) {
      const edited = editSource(document, text, { start, end }, value, after);
      if (edited !== undefined && means(edited, after)) return { before: source, after: edited };
      // Separator, directives and comments. `laidOut` does not indent, so the indentation of the document is dropped.
      const contentStart = document.contents?.range?.[0] ?? start;
      const head = text.slice(start, contentStart).replace(/(^|\n)[ \t]+$/, "$1");
      return { before: head + laidOut(document), after: head + laidOut(document, { before: value, after }) };
    },
  };
}

/** Whether a text is a single document with this value. */
function means(text: string, value: unknown): boolean {
  try {
    const [document, ...others] = [...parseAllDocuments(text, options)];
    if (!document || document.errors.length > 0 || others.some(({ contents }) => contents !== null)) return false;
    return same(valueOf(document), value);
  } catch {
    return false; // an alias to a removed anchor
  }
}

/**
 * The text of a document's content in the library's formatting, optionally with a new value. Everything before the content
 * is left out.
 */
function laidOut(document: Document, change?: { before: unknown; after: unknown }): string {
  const bare = document.clone();
  bare.directives = undefined!;
  if (change && hasAliases(bare)) {
    bare.contents = newNode(change.after); // without aliases, because anchors may have been removed
  } else if (change) {
    bare.contents = changedNode(bare.contents as Node, change.before, change.after);
  }
  // The comments are in the text before the content.
  bare.commentBefore = null;
  const { contents } = bare;
  if (isNode(contents)) contents.commentBefore = null;
  const [first] = isCollection(contents) && !contents.flow ? contents.items : [];
  const key = isPair(first) ? first.key : first;
  if (isNode(key)) key.commentBefore = null;
  return bare.toString({ lineWidth: 0, indentSeq: false });
}
