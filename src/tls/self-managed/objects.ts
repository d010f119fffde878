import type { Entry } from "./trust.ts";

/** The content of an object with its resourceVersion. A write based on it is rejected if the object has changed. */
export interface Versioned<T> {
  readonly version: string;
  readonly content: T;
}

/** The two objects in the cluster that contain the certificates. Each function throws if the request fails. */
export interface ClusterObjects {
  /** The values of the Secret, decoded. */
  secret(): Promise<Versioned<Readonly<Record<string, string>>>>;
  /** Writes these values and keeps the others. @throws {Conflict} if the Secret has changed since this version */
  writeSecret(version: string, values: Readonly<Record<string, string>>): Promise<void>;
  /** The entries of the webhook configuration. */
  entries(): Promise<Versioned<readonly Entry[]>>;
  /** The API server's current time, derived from its last response, in milliseconds since 1970; undefined before. */
  serverTime(): number | undefined;
  /** Writes the caBundle of these entries and nothing else. @throws {Conflict} as above */
  writeEntries(version: string, entries: readonly Entry[]): Promise<void>;
}

/** The object was modified in the meantime and must be read again. */
export class Conflict extends Error {
  override readonly name = "Conflict";
}
