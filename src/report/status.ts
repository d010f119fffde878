import * as z from "zod";
import { annotationsFit } from "../pod/annotations.ts";
import type { Pod } from "../pod/types.ts";
import { reported } from "./decision.ts";
import type { Outcome } from "./decision.ts";
import { isCode } from "./reasons.ts";
import type { Note } from "./reasons.ts";

export const statusAnnotation = "arc-primer.dev/status";

/** The pod's own account of what was done to it: the value of the status annotation, as JSON. */
export interface Status {
  version: string;
  profile: string;
  /** Set when the pod asked for a profile that it did not get. */
  problem?: string;
  applied: string[];
  /** Why not, by mutation. What the profile does not configure is not mentioned. */
  skipped: Record<string, string>;
  /** What else there is to know, by mutation; absent where there is nothing. */
  notes?: Record<string, string[]>;
}

/** What a status says: arc-primer's version, the profile, and what became of each mutation. */
export interface StatusContent {
  readonly version: string;
  readonly profile: string;
  readonly problem?: Note | undefined;
  readonly outcomes: readonly Outcome[];
}

/**
 * The pod with its status annotation; the same object if it says this already; undefined if there is no room for it.
 *
 * A second pass over a primed pod finds everything in place. What an earlier pass applied then still counts as
 * applied, so that the second patch is empty.
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
 * What a pod says was done to it; undefined where it says nothing, or something that is no status. Whoever writes pods can
 * write one as well, so its texts are cut, and come without control characters.
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
 * The status that an earlier pass wrote; undefined where there is none, or where it is not ours. Those who write
 * the pod can write one as well. So it decides only between "applied" and "already there" of what is there, and no text
 * of its own is taken over.
 */
function earlierStatus(value: string | undefined): Status | undefined {
  if (value === undefined) return undefined;
  try {
    const parsed = statusSchema.safeParse(JSON.parse(value));
    return parsed.success ? (parsed.data as Status) : undefined;
  } catch {
    return undefined; // not JSON: somebody else's text, which this status replaces
  }
}
