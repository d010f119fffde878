/** Where something is in a configuration, as keys and indices from its root. */
export type Path = readonly PropertyKey[];

/** One thing that is wrong with a configuration, and where. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
}
