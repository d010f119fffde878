import { Scalar, isAlias, isMap, isSeq, parseAllDocuments, parseDocument, visit } from "yaml";
import type { Document, DocumentOptions, ParseOptions, SchemaOptions, Tags, ToStringOptions } from "yaml";
import jsonPatch from "fast-json-patch";
import type { JsonPatch } from "../engine/diff.ts";

/**
 * One document of a manifest file. `source` is its part of the text, separator and all; the parts of all documents,
 * joined, are the text.
 */
export interface ManifestDocument {
  readonly source: string;
  readonly value: unknown;
  /** The document's text after a patch of its value: comments and the order of keys stay. */
  edited(patch: JsonPatch): string;
  /** The document's text as this module would lay it out, to compare edited ones with. */
  normal(): string;
}

// kubectl and Helm read YAML 1.1 as Go does: 0755 is octal and `on` is true, but 2024-01-01 and 22:22 are strings.
const options: ParseOptions & DocumentOptions & SchemaOptions = {
  version: "1.1",
  merge: true,
  intAsBigInt: true, // so that what we don't touch keeps all its digits
  customTags: (tags: Tags) =>
    tags.filter((tag) => typeof tag === "string" || !(/:(timestamp|binary)$/.test(tag.tag) || tag.format === "TIME")),
};
const layout: ToStringOptions = { lineWidth: 0, indentSeq: false };

/**
 * Reads YAML or JSON, one document or several.
 *
 * @param name the file's name, for the error
 * @throws {Error} naming the file and the line, if the text is neither
 */
export function readManifests(text: string, name: string): ManifestDocument[] {
  const documents = [...parseAllDocuments(text, { ...options, prettyErrors: true })];
  if (documents.length === 0) return [manifest(parseDocument("", options), text, 0)]; // nothing, or comments alone
  let end = 0;
  return documents.map((document, index) => {
    const [error] = document.errors;
    if (error) throw new Error(`${name}: ${error.message}`);
    const start = end;
    end = index === documents.length - 1 ? text.length : document.range[2];
    return manifest(document, text.slice(start, end), (document.contents?.range?.[0] ?? start) - start);
  });
}

function manifest(document: Document, source: string, contentStart: number): ManifestDocument {
  const value: unknown = document.toJS({
    reviver: (_key, one: unknown) => (typeof one === "bigint" ? Number(one) : one),
  });
  // Separator, directives, comments; not the indent of an indented document, which is written without.
  const head = source.slice(0, contentStart).replace(/(^|\n)[ \t]+$/, "$1");
  return {
    source,
    value,
    normal: () => head + body(document),
    edited: (patch) => head + body(patched(document, value, patch)),
  };
}

function body(document: Document): string {
  const bare = document.clone();
  bare.directives = undefined!;
  bare.commentBefore = null; // the head has it
  if (bare.contents) bare.contents.commentBefore = null;
  return bare.toString(layout);
}

function patched(document: Document, value: unknown, patch: JsonPatch): Document {
  const copy = document.clone();
  if (hasAliases(copy)) {
    // An alias cannot be edited in place, so the document is written anew from its value.
    copy.contents = newNode(copy, jsonPatch.applyPatch(value, patch, false, false).newDocument) as typeof copy.contents;
    return copy;
  }
  for (const operation of patch) apply(copy, operation);
  return copy;
}

function apply(document: Document, operation: JsonPatch[number]): void {
  const path = operation.path
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const parent = path.slice(0, -1).reduce<unknown>(child, document.contents);
  const key = path.at(-1) ?? "";
  if (isSeq(parent)) {
    // A script within [brackets] would be one long quoted line.
    if ("value" in operation && String(operation.value).includes("\n")) parent.flow = false;
    if (operation.op === "add") parent.items.splice(Number(key), 0, newNode(document, operation.value));
    else if (operation.op === "replace") parent.set(Number(key), newNode(document, operation.value));
    else parent.delete(Number(key));
  } else if (isMap(parent)) {
    if (operation.op === "remove") parent.delete(key);
    else if (operation.op === "add" || operation.op === "replace") parent.set(key, newNode(document, operation.value));
  } else {
    throw new Error(`the patch names ${operation.path}, which is not in the document`);
  }
}

/**
 * A node for a new value. What begins like a number is quoted: 0o17 is a string to YAML 1.1, and a number to kubectl.
 */
function newNode(document: Document, value: unknown) {
  const node = document.createNode(value);
  visit(node, {
    Scalar(_key, scalar) {
      const isOdd = typeof scalar.value === "string" && /^[-+.~]?[\d.]|^[-+.~]$/.test(scalar.value);
      if (isOdd && !String(scalar.value).includes("\n")) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return node;
}

function child(node: unknown, key: string): unknown {
  if (isSeq(node)) return node.get(Number(key), true);
  return isMap(node) ? node.get(key, true) : undefined;
}

function hasAliases(document: Document): boolean {
  let found = false;
  visit(document, (_key, node) => {
    found ||= isAlias(node);
    return found ? visit.BREAK : undefined;
  });
  return found;
}
