import type { Entry } from "./trust.ts";

/** An object as it was at one moment; what is written on top of it is refused if it has changed since. */
export interface Versioned<T> {
  readonly version: string;
  readonly content: T;
}

/** The two objects of the cluster that hold the certificates. Each function throws if the API server does not do it. */
export interface ClusterObjects {
  /** The values of the Secret, decoded. */
  secret(): Promise<Versioned<Readonly<Record<string, string>>>>;
  /** Writes these values and leaves the others. @throws {Conflict} if the Secret is not at this version any more */
  writeSecret(version: string, values: Readonly<Record<string, string>>): Promise<void>;
  /** The entries of the webhook configuration. */
  entries(): Promise<Versioned<readonly Entry[]>>;
  /** What the API server's clock says now, by its last answer; undefined before that. Milliseconds since 1970. */
  serverTime(): number | undefined;
  /** Writes the caBundle of these entries and nothing else. @throws {Conflict} as above */
  writeEntries(version: string, entries: readonly Entry[]): Promise<void>;
}

/** Somebody else has changed the object in between: it is to be read again. */
export class Conflict extends Error {
  override readonly name = "Conflict";
}
