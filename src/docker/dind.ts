import { isSidecar } from "../pod/containers.ts";
import type { Container, Pod } from "../pod/types.ts";
import { unwrappedCommand } from "../pod/wrap.ts";

/** The kind of Docker-in-Docker container: native sidecar (an init container that keeps running) or regular container. */
export type Layout = "sidecar" | "container";

/** Splits an image reference: repository `harbor.example.com/hub/docker` and tag `29-dind`. Ignores the digest. */
export function parseImage(image: string): { repository: string; tag: string } {
  const [reference = ""] = image.split("@");
  const colon = reference.lastIndexOf(":");
  return colon > reference.lastIndexOf("/")
    ? { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) }
    : { repository: reference, tag: "" };
}

/** Whether this is the official `docker:dind` image, in any version, from Docker Hub or from a mirror. */
export function isDindImage(image: string | null | undefined): boolean {
  const { repository, tag } = parseImage(image ?? "");
  return baseName(repository) === "docker" && tag.includes("dind");
}

/** The container names and the runner's command that a profile configures. */
export interface ContainerNames {
  readonly docker: { readonly container: string };
  readonly runner: { readonly container: string; readonly command?: readonly string[] | undefined };
}

/** The container that runs dockerd, and its layout. */
export interface Dind {
  readonly container: Container;
  readonly layout: Layout;
}

/** The container that runs dockerd for the jobs. If there are several candidates, the most likely one. */
export function findDind(pod: Pod, names: ContainerNames): Dind | undefined {
  return findDinds(pod, names)[0];
}

/**
 * All containers that run dockerd, the most likely one first. The order is: containers that start dockerd, privileged
 * containers, containers with the name from the profile, containers with a DinD image. Only native sidecars and regular
 * containers are considered, never the runner container or other init containers.
 */
export function findDinds({ spec }: Pod, { docker, runner }: ContainerNames): Dind[] {
  const sidecars = (spec.initContainers ?? []).filter(isSidecar);
  const others = spec.containers.filter(({ name }) => name !== runner.container);
  return [
    ...sidecars.map((container) => ({ container, layout: "sidecar" as const })),
    ...others.map((container) => ({ container, layout: "container" as const })),
  ]
    .map((dind) => ({ dind, score: dindScore(dind.container, docker.container) }))
    .filter(({ score }) => score > 0)
    .toSorted((one, other) => other.score - one.score)
    .map(({ dind }) => dind);
}

/** A score of how likely a container runs dockerd. 0 if nothing indicates it, or if the container is only a client. */
function dindScore(container: Container, name: string): number {
  const argv = unwrappedCommand(container);
  const isPrivileged = container.securityContext?.privileged === true;
  const isNamed = container.name === name;
  const hasImage = isDindImage(container.image) || (isPrivileged && looksLikeDind(container.image));
  const score = (isPrivileged ? 4 : 0) + (isNamed ? 2 : 0) + (hasImage ? 1 : 0);
  if (startsDockerd(argv)) return 8 + score;
  if (parseImage(container.image ?? "").tag.includes("cli")) return 0;
  // An unprivileged docker:dind container with another command is a client, for example to prune or load images.
  const isClient = !isPrivileged && argv.length > 0 && !argv[0]?.startsWith("-");
  return isNamed || (hasImage && !isClient) ? score : 0;
}

/** Third-party images (`cgr.dev/chainguard/docker-dind`) and official tags without "dind" (`docker:29` has dockerd). */
function looksLikeDind(image: string | null | undefined): boolean {
  const { repository, tag } = parseImage(image ?? "");
  const last = baseName(repository);
  return last === "docker" || last.includes("dind") || tag.includes("dind");
}

const dockerdWord = /(?:^|[\s;&|(])(?:\/[\w./-]*\/)?dockerd(?:-entrypoint\.sh|-rootless\.sh)?(?=$|[\s;&|)])/g;

/** Whether a command starts dockerd, either directly or in a shell string. */
export function startsDockerd(argv: readonly string[]): boolean {
  return argv.some((arg) =>
    [...arg.matchAll(dockerdWord)].some(({ index }) => !isProcessLookup(arg.slice(Math.max(0, index - 40), index))),
  );
}

/** Whether the text before `dockerd` ends in a command that looks up processes by name, such as pgrep. */
function isProcessLookup(before: string): boolean {
  return /\b(pgrep|pkill|pidof|killall)( -\w+){0,4}$/.test(before);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
