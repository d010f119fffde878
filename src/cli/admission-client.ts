import { request } from "node:https";
import type { Agent } from "node:https";
import jsonPatch from "fast-json-patch";

export { admissionReview } from "../cluster/admission-review.ts";

// The API server's side of an admission, for the demo and the tests.

export interface AdmissionAnswer {
  apiVersion: string;
  kind: string;
  response: {
    uid: string;
    allowed: boolean;
    patchType?: string;
    patch?: string;
    warnings?: string[];
    auditAnnotations?: Record<string, string>;
  };
}

/** Posts a body to the webhook on this machine, as kube-apiserver does: one POST, JSON, over the agent's connection. */
export async function post(
  port: number,
  agent: Agent,
  body: string,
  headers: Record<string, string> = { "content-type": "application/json" },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { agent, port, host: "localhost", path: "/mutate?timeout=5s", method: "POST", headers };
    const call = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    call.once("error", reject);
    call.end(body);
  });
}

/** The JSON Patch operations of an answer; empty if it has no patch. */
export function patchOf({ response }: AdmissionAnswer): jsonPatch.Operation[] {
  return JSON.parse(Buffer.from(response.patch ?? "", "base64").toString() || "[]") as jsonPatch.Operation[];
}

/** Returns the object with the answer's patch applied, as the API server does. The given object is not modified. */
export function patched<T>(object: T, answer: AdmissionAnswer): T {
  return jsonPatch.applyPatch(structuredClone(object), patchOf(answer), true).newDocument;
}
