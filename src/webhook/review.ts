import * as z from "zod";
import type { JsonPatch } from "../engine/diff.ts";
import type { PodReason } from "../report/reasons.ts";

const reviewSchema = z.object({
  apiVersion: z.string(),
  kind: z.literal("AdmissionReview"),
  request: z.object({
    uid: z.string().min(1).max(1024),
    // A value of the wrong type in these fields counts as absent.
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

/** The body is not an AdmissionReview, so there is no `uid` to answer. */
export class UnreadableReview extends Error {
  override readonly name = "UnreadableReview";
}

/** A review whose body is too complex to be parsed. */
export class UnparsedReview {
  readonly #start: string;

  constructor(bytes: Buffer) {
    this.#start = bytes.toString("utf8", 0, 16_384);
  }

  /**
   * Parses the review without the user and the pod. kube-apiserver writes these last (k8s.io/api/admission/v1, types.go),
   * and the fields before them are short.
   *
   * @throws {UnreadableReview} if the body does not start with these fields
   */
  head(): unknown {
    const end = this.#start.indexOf(',"userInfo":');
    try {
      return JSON.parse(`${this.#start.slice(0, end)}}}`);
    } catch {
      throw new UnreadableReview("the body contains too many keys and values, or is nested too deeply");
    }
  }
}

/**
 * Reads a request body, already parsed from JSON, as an AdmissionReview.
 *
 * @throws {UnreadableReview} if it is not an AdmissionReview, or has no `uid`, without which it cannot be answered
 */
export function decodeReview(body: unknown): Review & { unparsed?: true } {
  if (body instanceof UnparsedReview) return { ...decodeReview(body.head()), unparsed: true };
  const parsed = reviewSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`).join("; ");
  throw new UnreadableReview(`expected an AdmissionReview of admission.k8s.io/v1 with a request.uid; ${details}`);
}

/** The reason why a review is not about the creation of a pod, if it is not. */
export function unsupportedReason({
  apiVersion,
  request,
  unparsed,
}: Review & { unparsed?: true }): PodReason | undefined {
  if (apiVersion !== "admission.k8s.io/v1") return "unsupported-review";
  if (request.kind.group !== "" || request.kind.kind !== "Pod") return "not-a-pod";
  if (request.operation !== "CREATE" || request.subResource !== "") return "not-a-create";
  if (unparsed) return "pod-too-large";
  if (request.object === null || request.object === undefined) return "no-object";
  return undefined;
}

/** Encodes the response as kube-apiserver expects it: the same apiVersion and uid as in the request, always allowed. */
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
        patch: rawJsonString(Buffer.from(JSON.stringify(patch)).toString("base64")),
      }),
      ...(warnings.length > 0 && { warnings }),
      ...(auditAnnotations && { auditAnnotations }),
    },
  });
}

// https://tc39.es/proposal-json-parse-with-source/. TypeScript's library does not declare it yet. Node.js 20 does not have
// it: there JSON.parse returns the plain string, which JSON.stringify then has to scan.
const { rawJSON = JSON.parse } = JSON as unknown as { rawJSON?: (text: string) => unknown };

/** Base64 contains nothing to escape. Scanning it would take as long as writing the patch as JSON (docs/decisions/0015). */
function rawJsonString(base64: string): unknown {
  return rawJSON(`"${base64}"`);
}
