import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path/posix";

/** The text of each source file, by its path below src/. Tests and declarations are left out. */
export type Sources = Readonly<Record<string, string>>;

/** What a folder may import in addition to its own files: other folders, and libraries by name. */
export interface Rule {
  readonly folders?: readonly string[];
  readonly libraries?: readonly string[];
  /** Folders and libraries from which it may import only types. */
  readonly types?: readonly string[];
}

/** A rule for each folder of src/ and for each file directly in src/. A rule may only refer to those that come later. */
export type Rules = Readonly<Record<string, Rule>>;

export interface Import {
  readonly specifier: string;
  /** Whether it is an `import type`, which is erased. */
  readonly isType: boolean;
}

export function readSources(root: string): Sources {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !/\.(test|d)\.ts$/.test(file),
  );
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
}

/** Every import and re-export of a file, including `import()` of values and types. */
export function importsOf(source: string): Import[] {
  const statements = source.matchAll(/^(?:import|export)(?<type> type)?\b[^;"]*?from "(?<from>[^"]+)"/gm);
  const others = source.matchAll(/^import "(?<from>[^"]+)"|\b(?:import|require)\("(?<from>[^"]+)"\)/gm);
  return [...statements, ...others].map(({ groups = {} }) => ({
    specifier: groups["from"] ?? "",
    isType: groups["type"] !== undefined,
  }));
}

/** One sentence for every import that the rules do not allow. */
export function forbiddenImports(sources: Sources, rules: Rules): string[] {
  return Object.entries(sources).flatMap(([file, source]) => {
    const folder = folderOf(file);
    const rule = rules[folder];
    if (!rule) return [`${file}: there is no rule for ${folder}`];
    const { folders = [], libraries = [], types = [] } = rule;
    return importsOf(source).flatMap(({ specifier, isType }) => {
      const target = specifier.startsWith(".") ? folderOf(join(dirname(file), specifier)) : specifier;
      const isLibrary = target === specifier;
      if (target === folder && !isLibrary) return [];
      if ((isLibrary ? libraries : folders).includes(target) || (isType && types.includes(target))) return [];
      return [`${file}: ${folder} may not import ${types.includes(target) ? `values from ${target}` : target}`];
    });
  });
}

/** Rules that allow a folder to import a folder above it in the table. */
export function upwardRules(rules: Rules): string[] {
  const order = Object.keys(rules);
  return Object.entries(rules).flatMap(([folder, { folders = [], types = [] }]) =>
    [...folders, ...types]
      .filter((target) => order.includes(target) && order.indexOf(target) <= order.indexOf(folder))
      .map((target) => `${folder} may import ${target}, which is above it`),
  );
}

/** The import cycles of files and of folders, including imports of types. Each one lists the names along the cycle. */
export function cycles(sources: Sources): string[] {
  const files = new Map<string, string[]>();
  const folders = new Map<string, string[]>();
  for (const [file, source] of Object.entries(sources)) {
    const targets = importsOf(source)
      .filter(({ specifier }) => specifier.startsWith("."))
      .map(({ specifier }) => join(dirname(file), specifier));
    files.set(file, targets);
    const others = targets.map(folderOf).filter((folder) => folder !== folderOf(file));
    folders.set(folderOf(file), [...(folders.get(folderOf(file)) ?? []), ...others]);
  }
  return [...cyclesOf(files), ...cyclesOf(folders)];
}

function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  function visit(node: string, path: readonly string[]): void {
    if (path.includes(node)) return void found.push([...path.slice(path.indexOf(node)), node].join(" -> "));
    if (done.has(node)) return;
    for (const target of new Set(graph.get(node))) visit(target, [...path, node]);
    done.add(node);
  }
  for (const node of graph.keys()) visit(node, []);
  return found;
}

/** `pod` for `pod/env.ts`, `tls` for `tls/self-managed/plan.ts`, `log` for `log.ts`. */
function folderOf(file: string): string {
  return file.split("/")[0]!.replace(/\.ts$/, "");
}
