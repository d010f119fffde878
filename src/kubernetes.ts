// Kubernetes types, re-exported from the official client, which generates them from the OpenAPI specification. Only types
// are used, so pods stay plain parsed JSON and unknown fields are preserved. They are re-exported here because the directories
// that work on pods are pure: they must not import a client, not even its types.
export type {
  V1Container,
  V1EnvVar,
  V1ObjectMeta,
  V1Pod,
  V1PodSpec,
  V1Volume,
  V1VolumeMount,
} from "@kubernetes/client-node";
