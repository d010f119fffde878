// Kubernetes' types, as types only: pods stay plain parsed JSON, so that fields we have never heard of survive.
import type { V1Container, V1ObjectMeta, V1Pod, V1PodSpec, V1Volume } from "@kubernetes/client-node";

export type Container = V1Container;
export type Volume = V1Volume;
/** A pod with the parts that every pod in an admission review has. */
export type Pod = V1Pod & { metadata: V1ObjectMeta; spec: V1PodSpec };
