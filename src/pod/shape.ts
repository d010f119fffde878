import type { Pod } from "./types.ts";

// Kubernetes' own limits are far lower, but the webhook receives pods before they are validated.
const maxItems = 1000;
const maxLength = 4096;

/**
 * Validates a value. Returns the path to the first invalid part, or undefined if the value is valid. The path is empty if
 * the value itself is invalid. It contains only field names that are listed here, and no text from the pod.
 */
type Check = (value: unknown) => string | undefined;

const checkThat = (isRight: (value: unknown) => boolean): Check => {
  return (value) => (isRight(value) ? undefined : "");
};
const text = checkThat((value) => typeof value === "string");
const shortText = checkThat((value) => typeof value === "string" && value.length <= maxLength);
const listOf =
  (item: Check): Check =>
  (value) => {
    if (!Array.isArray(value) || value.length > maxItems) return "";
    for (let index = 0; index < value.length; index += 1) {
      const wrong = item(value[index]);
      if (wrong !== undefined) return `[${index}]${wrong}`;
    }
    return undefined;
  };
const mapOf = (item: Check): Check =>
  checkThat((value) => isRecord(value) && Object.values(value).every((one) => item(one) === undefined));
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null ? undefined : check(value);

/** A map in which these fields are valid. Other fields are allowed. */
function fields(checks: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(checks);
  return (value) => {
    if (!isRecord(value)) return "";
    for (const [key, check] of entries) {
      const wrong = check(value[key]);
      if (wrong !== undefined) return `.${key}${wrong}`;
    }
    return undefined;
  };
}

const number = checkThat((value) => typeof value === "number");
const texts = optional(listOf(text));
const textMap = optional(mapOf(text));
const anything = fields({});

const action = { exec: optional(fields({ command: texts })), httpGet: optional(fields({ path: optional(text) })) };
const probe = fields({
  ...action,
  initialDelaySeconds: optional(number),
  periodSeconds: optional(number),
  failureThreshold: optional(number),
});

const container = fields({
  name: shortText,
  image: optional(shortText),
  workingDir: optional(shortText),
  command: texts,
  args: texts,
  restartPolicy: optional(text),
  env: optional(listOf(fields({ name: shortText, value: optional(text) }))),
  envFrom: optional(listOf(anything)),
  volumeMounts: optional(listOf(fields({ name: shortText, mountPath: shortText }))),
  startupProbe: optional(probe),
  lifecycle: optional(fields({ preStop: optional(fields(action)) })),
  resources: optional(fields({ limits: optional(anything), requests: optional(anything) })),
  securityContext: optional(fields({ capabilities: optional(fields({ add: texts, drop: texts })) })),
});

const pod = fields({
  metadata: fields({
    name: optional(text),
    generateName: optional(text),
    labels: textMap,
    annotations: textMap,
    ownerReferences: optional(listOf(fields({ kind: optional(text) }))),
  }),
  spec: fields({
    containers: listOf(container),
    initContainers: optional(listOf(container)),
    volumes: optional(listOf(fields({ name: shortText }))),
    nodeSelector: textMap,
    os: optional(fields({ name: shortText })),
    runtimeClassName: optional(shortText),
    tolerations: optional(listOf(fields({ key: optional(text), value: optional(text) }))),
    securityContext: optional(anything),
    terminationGracePeriodSeconds: optional(number),
  }),
});

/**
 * Whether the fields of a pod that arc-primer reads have the types that Kubernetes defines. Other fields are ignored.
 * `null` counts as absent, as in the API server. A pod with a list of more than 1,000 items is rejected.
 */
export function isPod(value: unknown): value is Pod {
  return pod(value) === undefined;
}

/** The first invalid field of a malformed pod, such as `spec.containers[0].name`, or `the object` if it is not an object. */
export function misshapenField(value: unknown): string | undefined {
  const path = pod(value);
  return path === "" ? "the object" : path?.slice(1);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
