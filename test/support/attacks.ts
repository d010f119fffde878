// Request bodies that once crashed the webhook, filled its memory or kept it busy. Each is a few megabytes.

/** A review with kube-apiserver's order of fields: the short ones first, then the user, then the pod. */
export function reviewText(pod: string): string {
  const head =
    '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","kind":{"group":"","version":"v1","kind":"Pod"},"name":"big","namespace":"team-a","operation":"CREATE"';
  return `${head},"userInfo":{"username":"someone"},"object":${pod}}}`;
}

function podOf(containers: readonly string[]): string {
  return `{"metadata":{"labels":{"actions-ephemeral-runner":"True"}},"spec":{"containers":[${containers.join(",")}]}}`;
}

function listOf(item: string, count: number): string {
  return `[${Array.from({ length: count }, () => item).join(",")}]`;
}

function container(index: number, rest: string): string {
  return `{"name":"${index === 0 ? "runner" : `c${index}`}","command":["x"],${rest}}`;
}

/** Containers whose variables are numbers: a validator that collects all errors would have about one per byte. */
export function wrongEverywhere(containers: number): string {
  const env = listOf("0", 1000);
  return reviewText(podOf(Array.from({ length: containers }, (_, index) => container(index, `"env":${env}`))));
}

/** Containers with 1,000 mounts each, all at one path. 96 of them are 2.9 MB. */
export function manyMounts(containers: number): string {
  const mounts = listOf('{"name":"v","mountPath":"/a"}', 1000);
  return reviewText(
    podOf(Array.from({ length: containers }, (_, index) => container(index, `"volumeMounts":${mounts}`))),
  );
}

/** A pod with a text of this length that consists of a sequence our own patterns search for. */
export function longText(letters: number): string {
  const value = "$(A".repeat(letters / 3);
  return reviewText(podOf([container(0, `"env":[{"name":"HTTP_PROXY","value":"${value}"}]`)]));
}

/** Nested lists. */
export function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

/** Maps with distinct keys, so that no two objects share a hidden class in V8. */
export function distinctKeys(bytes: number): string {
  const parts: string[] = [];
  for (let length = 0; length < bytes; length += parts.at(-1)!.length + 1) {
    parts.push(`{"${parts.length.toString(36)}":{}}`);
  }
  return `[${parts.join(",")}]`;
}

/** As many empty maps as fit. */
export function emptyMaps(bytes: number): string {
  return listOf("{}", Math.floor(bytes / 3));
}
