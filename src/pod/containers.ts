import type { Container, Pod } from "./types.ts";

/** Containers that arc-primer adds are called `arc-primer-…`. */
export const ownPrefix = "arc-primer-";

/** Where the Docker-in-Docker container stands: a native sidecar (an init container that keeps running) or beside the runner. */
export type Layout = "sidecar" | "container";

/** An image reference, taken apart: `harbor.example.com/hub/docker:29-dind@sha256:…` is `harbor.example.com/hub/docker` and `29-dind`. */
export function parseImage(image: string): { repository: string; tag: string } {
  const [reference = ""] = image.split("@");
  const colon = reference.lastIndexOf(":");
  return colon > reference.lastIndexOf("/")
    ? { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) }
    : { repository: reference, tag: "" };
}

/** Whether this is Docker's own `docker:dind`, in any version, from Docker Hub or a copy of it. */
export function isDindImage(image: string | null | undefined): boolean {
  const { repository, tag } = parseImage(image ?? "");
  return repository.split("/").at(-1) === "docker" && tag.includes("dind");
}

/** A native sidecar: an init container that the kubelet keeps running beside the others (Kubernetes 1.29). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

/** The container of that name among the ordinary ones. */
export function findContainer(pod: Pod, name: string): Container | undefined {
  return pod.spec.containers.find((container) => container.name === name);
}

/**
 * The container that runs dockerd: by name, else by image; a native sidecar or an ordinary container, but never the
 * runner itself, nor an init container that ends.
 */
export function findDind(
  pod: Pod,
  names: { readonly dind: string; readonly runner: string },
): { container: Container; layout: Layout } | undefined {
  const candidates = [
    ...(pod.spec.initContainers ?? [])
      .filter(isSidecar)
      .map((container) => ({ container, layout: "sidecar" as const })),
    ...pod.spec.containers
      .filter(({ name }) => name !== names.runner)
      .map((container) => ({ container, layout: "container" as const })),
  ];
  return (
    candidates.find(({ container }) => container.name === names.dind) ??
    candidates.find(({ container }) => isDindImage(container.image))
  );
}

/** Whether the container's own `env` sets the variable to anything but nothing: a value, or a `valueFrom`. */
export function setsEnv(container: Container, name: string): boolean {
  const entry = container.env?.findLast((variable) => variable.name === name);
  return entry !== undefined && (Boolean(entry.valueFrom) || Boolean(entry.value));
}

/** In ARC's kubernetes modes steps run in pods of their own, unless the job may do without a container. */
export function jobsRunElsewhere(runner: Container): boolean {
  const demand = runner.env?.findLast(({ name }) => name === "ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER");
  return setsEnv(runner, "ACTIONS_RUNNER_CONTAINER_HOOKS") && demand?.value !== "false";
}

/** The names of the volumes through which the container sees `path`: those mounted there or above. */
export function volumesAt(container: Container, path: string): string[] {
  return (container.volumeMounts ?? [])
    .filter(({ mountPath }) => `${path}/`.startsWith(`${mountPath.replace(/\/+$/, "")}/`))
    .map(({ name }) => name);
}
