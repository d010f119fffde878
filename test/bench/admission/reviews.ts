import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { admissionReview } from "../../../src/cli/admission-client.ts";
import type { Pod } from "../../../src/pod/types.ts";

/**
 * A review as kube-apiserver sends it for the pod that ARC creates for containerMode.type=dind. It is enlarged to about this
 * number of bytes with the fields that make real pods large: variables, annotations, and their managedFields.
 */
export function reviewOf(bytes: number): string {
  const text = readFileSync(new URL("../../golden/dind-sidecar/pod.yaml", import.meta.url), "utf8");
  const pod = parse(text, { version: "1.1" }) as Pod;
  const env = pod.spec.containers[0]!.env!;
  const annotations: Record<string, string> = { ...pod.metadata.annotations };
  pod.metadata.annotations = annotations;
  for (let count = 0; count < 900; count += 1) {
    const review = JSON.stringify(admissionReview(managed(pod), "arc-runners"));
    if (review.length >= bytes) return review;
    // Measuring the size takes longer for larger pods, so they grow in larger steps.
    for (let more = Math.ceil((bytes - review.length) / 4000); more > 0; more -= 1, count += 1) {
      env.push({ name: `JOB_SETTING_${count}`, value: `${count} ${"https://internal.example.com/a/path ".repeat(8)}` });
      annotations[`example.com/annotation-${count}`] = `{"owner":"team-${count}","note":"${"policy ".repeat(20)}"}`;
    }
  }
  throw new Error(`a pod of ${bytes} bytes would have a list of more than 1,000 items`);
}

function managed(pod: Pod): Pod {
  const { metadata, spec } = pod;
  const own = fields({
    metadata: { annotations: metadata.annotations, labels: metadata.labels },
    spec: { containers: spec.containers },
  });
  const entry = {
    manager: "ghalistener",
    operation: "Update",
    apiVersion: "v1",
    time: "2026-01-01T00:00:00Z",
    fieldsType: "FieldsV1",
    fieldsV1: own,
  };
  return { ...pod, metadata: { ...metadata, managedFields: [entry] } } as unknown as Pod;
}

/** The names of fields in the format of managedFields. */
function fields(value: unknown): object {
  if (Array.isArray(value)) {
    return Object.fromEntries(
      value.flatMap((item: unknown) => {
        const key = (item as { name?: unknown } | null)?.name;
        return typeof key === "string" ? [[`k:{"name":${JSON.stringify(key)}}`, { ".": {}, ...fields(item) }]] : [];
      }),
    );
  }
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [`f:${key}`, fields(one)]));
}
