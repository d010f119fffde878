/** Where something is in a configuration, as keys and indices from its root. */
export type Path = readonly PropertyKey[];

/** One thing that is wrong with a configuration, and where. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
}

/** A path as people write it: `rules[0].profile`, `registries["ghcr.io"].mirrors`. */
export function spell(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    if (!/^[\w-]+$/.test(String(key))) return `${text}[${JSON.stringify(String(key))}]`;
    return text ? `${text}.${String(key)}` : String(key);
  }, "");
}
