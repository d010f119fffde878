/** The path of a value in a configuration: the keys and indices from the root. */
export type Path = readonly PropertyKey[];

/** An error or a warning about a configuration, and its path. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
}

/** A path as text: `rules[0].profile`, `registries["ghcr.io"].mirrors`. */
export function spell(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    if (!/^[\w-]+$/.test(String(key))) return `${text}[${JSON.stringify(String(key))}]`;
    return text ? `${text}.${String(key)}` : String(key);
  }, "");
}
