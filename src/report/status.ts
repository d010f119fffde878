import * as z from "zod";
import { annotationsFit } from "../pod/annotations.ts";
import type { Pod } from "../pod/types.ts";
import { reported } from "./decision.ts";
import type { Outcome } from "./decision.ts";
import { isCode } from "./reasons.ts";
import type { Note } from "./reasons.ts";

export const statusAnnotation = "arc-primer.dev/status";

/** The value of the status annotation, as JSON: what arc-primer did to the pod. */
export interface Status {
  version: string;
  profile: string;
  /** Set if the pod requested a profile that it did not get. */
  problem?: string;
  applied: string[];
  /** The reason for each skipped mutation, by name. Mutations that the profile does not configure are left out. */
  skipped: Record<string, string>;
  /** The notes of each mutation, by name. Absent if there are none. */
  notes?: Record<string, string[]>;
}

/** The input for a status: arc-primer's version, the profile, and the outcome of each mutation. */
export interface StatusContent {
  readonly version: string;
  readonly profile: string;
  readonly problem?: Note | undefined;
  readonly outcomes: readonly Outcome[];
}

/**
 * Returns the pod with its status annotation. Returns the same object if the annotation is already up to date, and
 * undefined if the annotation does not fit.
 *
 * In a second pass over a primed pod, everything is already in place. Mutations that the earlier pass applied still count
 * as applied, so that the second patch is empty.
 */
export function withStatus(pod: Pod, content: StatusContent): Pod | undefined {
  const annotations = pod.metadata.annotations ?? {};
  const value = JSON.stringify(statusOf(content, earlierStatus(annotations[statusAnnotation])));
  if (annotations[statusAnnotation] === value) return pod;
  const updated = { ...annotations, [statusAnnotation]: value };
  if (!annotationsFit(updated)) return undefined;
  return { ...pod, metadata: { ...pod.metadata, annotations: updated } };
}

function statusOf({ version, profile, problem, outcomes }: StatusContent, earlier: Status | undefined): Status {
  const status: Status = { version, profile, ...(problem && { problem }), applied: [], skipped: {} };
  const allNotes: Record<string, string[]> = {};
  for (const { mutation, reason, notes } of reported(outcomes)) {
    const before = reason === "already-there" && earlier?.applied.includes(mutation);
    if (!reason || before) status.applied.push(mutation);
    else status.skipped[mutation] = reason;
    const worthNoting = before ? (earlier?.notes?.[mutation] ?? []).filter(isCode) : notes;
    if (worthNoting.length > 0) allNotes[mutation] = [...worthNoting];
  }
  return { ...status, ...(Object.keys(allNotes).length > 0 && { notes: allNotes }) };
}

const statusSchema = z.object({
  applied: z.array(z.string()),
  notes: z.record(z.string(), z.array(z.string())).optional(),
});

const wholeSchema = statusSchema.extend({
  version: z.string(),
  profile: z.string(),
  problem: z.string().optional(),
  skipped: z.record(z.string(), z.string()),
});

/**
 * Reads the status annotation of a pod. Undefined if the pod has none or if it is invalid. Anyone who can create pods can
 * forge a status, so its texts are shortened, and control characters are replaced.
 */
export function readStatus(annotations: Readonly<Record<string, string>> | null | undefined): Status | undefined {
  const value = annotations?.[statusAnnotation];
  if (value === undefined) return undefined;
  try {
    const plain: unknown = JSON.parse(value, (_key, text: unknown) =>
      typeof text === "string" ? plainText(text) : text,
    );
    return wholeSchema.safeParse(plain).data as Status | undefined;
  } catch {
    return undefined;
  }
}

function plainText(text: string): string {
  return text.slice(0, 253).replaceAll(/[^\x20-\x7E]/g, "?");
}

/**
 * Parses the status that an earlier pass has written. Undefined if there is none or if it is invalid. The pod's author can
 * forge a status. So it is used only to choose between "applied" and "already there" for changes that are in place, and no
 * free text is copied from it.
 */
function earlierStatus(value: string | undefined): Status | undefined {
  if (value === undefined) return undefined;
  try {
    const parsed = statusSchema.safeParse(JSON.parse(value));
    return parsed.success ? (parsed.data as Status) : undefined;
  } catch {
    return undefined; // not JSON; the new status replaces it
  }
}
