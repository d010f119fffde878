import type { V1Container, V1EnvVar, V1ObjectMeta, V1Pod, V1PodSpec, V1Volume, V1VolumeMount } from "../kubernetes.ts";

// Mutations may assign only to the parts that they get a copy of (engine/editing.ts): the fields of pod, metadata, spec and
// containers, and the lists named here. The other parts are shared with the original pod. They are readonly and can only
// be replaced.

type DeepReadonly<T> = T extends Date
  ? T
  : T extends readonly (infer Item)[]
    ? readonly DeepReadonly<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

type Fields<T, Lists extends keyof T> = Omit<{ [Key in keyof T]: DeepReadonly<T[Key]> }, Lists>;

export type Volume = DeepReadonly<V1Volume>;
export type Mount = DeepReadonly<V1VolumeMount>;
export type EnvVar = DeepReadonly<V1EnvVar>;

export interface Container extends Fields<V1Container, "command" | "args" | "env" | "volumeMounts"> {
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  volumeMounts?: Mount[];
}

interface PodSpec extends Fields<V1PodSpec, "containers" | "initContainers" | "volumes"> {
  containers: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
}

/** A pod with the parts that every pod in an admission review has. */
export interface Pod extends Fields<V1Pod, "metadata" | "spec"> {
  metadata: Fields<V1ObjectMeta, never>;
  spec: PodSpec;
}
