import * as z from "zod";
import type { JsonPatch } from "../engine/diff.ts";
import type { PodReason } from "../report/reasons.ts";

const reviewSchema = z.object({
  apiVersion: z.string(),
  kind: z.literal("AdmissionReview"),
  request: z.object({
    uid: z.string().min(1).max(1024),
    // What follows is only read, so a value of another type counts as absent.
    kind: z.object({ group: z.string().catch(""), kind: z.string().catch("") }).catch({ group: "", kind: "" }),
    namespace: z.string().catch(""),
    name: z.string().catch(""),
    operation: z.string().catch(""),
    subResource: z.string().catch(""),
    dryRun: z.boolean().catch(false),
    object: z.unknown().optional(),
  }),
});

export type Review = z.output<typeof reviewSchema>;

/** A body that is no AdmissionReview: there is no `uid` to answer to. */
export class UnreadableReview extends Error {
  override readonly name = "UnreadableReview";
}

/** A body with too much in it to be parsed. */
export class UnparsedReview {
  readonly #start: string;

  constructor(bytes: Buffer) {
    this.#start = bytes.toString("utf8", 0, 16_384);
  }

  /**
   * The review without the user and the pod. kube-apiserver writes them last (k8s.io/api/admission/v1, types.go), and
   * what goes before is short.
   *
   * @throws {UnreadableReview} if it does not begin like that
   */
  head(): unknown {
    const end = this.#start.indexOf(',"userInfo":');
    try {
      return JSON.parse(`${this.#start.slice(0, end)}}}`);
    } catch {
      throw new UnreadableReview("there are too many lists and maps in this, or too deep in each other");
    }
  }
}

/**
 * Reads a request body, already parsed from JSON, as an AdmissionReview.
 *
 * @throws {UnreadableReview} if it is none, or has no `uid`: kube-apiserver would take no answer to it
 */
export function decodeReview(body: unknown): Review & { unparsed?: true } {
  if (body instanceof UnparsedReview) return { ...decodeReview(body.head()), unparsed: true };
  const parsed = reviewSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`).join("; ");
  throw new UnreadableReview(`expected an AdmissionReview of admission.k8s.io/v1 with a request.uid; ${details}`);
}

/** Why a review is not even about a pod that is being created, if it is not. */
export function notOurs({ apiVersion, request, unparsed }: Review & { unparsed?: true }): PodReason | undefined {
  if (apiVersion !== "admission.k8s.io/v1") return "unsupported-review";
  if (request.kind.group !== "" || request.kind.kind !== "Pod") return "not-a-pod";
  if (request.operation !== "CREATE" || request.subResource !== "") return "not-a-create";
  if (unparsed) return "pod-too-large";
  if (request.object === null || request.object === undefined) return "no-object";
  return undefined;
}

/** The answer's body as text, as kube-apiserver takes it: the same apiVersion, the same uid, always allowed. */
export function encodeResponse(
  review: Review,
  answer: { patch?: JsonPatch; warnings?: readonly string[]; auditAnnotations?: Readonly<Record<string, string>> },
): string {
  const { patch = [], warnings = [], auditAnnotations } = answer;
  return JSON.stringify({
    apiVersion: review.apiVersion,
    kind: "AdmissionReview",
    response: {
      uid: review.request.uid,
      allowed: true,
      ...(patch.length > 0 && {
        patchType: "JSONPatch",
        patch: asJson(Buffer.from(JSON.stringify(patch)).toString("base64")),
      }),
      ...(warnings.length > 0 && { warnings }),
      ...(auditAnnotations && { auditAnnotations }),
    },
  });
}

// https://tc39.es/proposal-json-parse-with-source/, not yet in TypeScript's library. Node 20 has none either; JSON.parse
// gives the plain string there, which is then looked through.
const { rawJSON = JSON.parse } = JSON as unknown as { rawJSON?: (text: string) => unknown };

/** Base64 has nothing to escape, and to look for it in a patch takes ten times as long as to encode that. */
function asJson(base64: string): unknown {
  return rawJSON(`"${base64}"`);
}
