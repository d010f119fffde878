import { isSidecar } from "../pod/containers.ts";
import type { Container, Pod } from "../pod/types.ts";

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

/** The names by which a profile knows the pod's containers. */
export interface ContainerNames {
  readonly docker: { readonly container: string };
  readonly runner: { readonly container: string };
}

/** The container that runs dockerd, and where it stands. */
export interface Dind {
  readonly container: Container;
  readonly layout: Layout;
}

/**
 * Finds the container that runs dockerd: by the profile's name for it, else by its image. It is a native sidecar or an
 * ordinary container, but never the runner itself, nor an init container that ends.
 */
export function findDind(pod: Pod, { docker, runner }: ContainerNames): Dind | undefined {
  const candidates: Dind[] = [
    ...(pod.spec.initContainers ?? [])
      .filter(isSidecar)
      .map((container) => ({ container, layout: "sidecar" as const })),
    ...pod.spec.containers
      .filter(({ name }) => name !== runner.container)
      .map((container) => ({ container, layout: "container" as const })),
  ];
  return (
    candidates.find(({ container }) => container.name === docker.container) ??
    candidates.find(({ container }) => isDindImage(container.image))
  );
}
