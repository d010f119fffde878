// Kubernetes' types, as its client has generated them from the API's own description. Types only, so pods stay plain parsed
// JSON, and fields that we have never heard of survive. They stand here because the folders that work on pods are pure:
// those import nothing of a client, not even its types.
export type {
  V1Container,
  V1EnvVar,
  V1ObjectMeta,
  V1Pod,
  V1PodSpec,
  V1Volume,
  V1VolumeMount,
} from "@kubernetes/client-node";
