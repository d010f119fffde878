import { isSidecar } from "../pod/containers.ts";
import type { Container, Pod } from "../pod/types.ts";
import { ownWords } from "../pod/wrap.ts";

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
  return baseName(repository) === "docker" && tag.includes("dind");
}

/** The names by which a profile knows the pod's containers. */
export interface ContainerNames {
  readonly docker: { readonly container: string };
  readonly runner: { readonly container: string; readonly command?: readonly string[] | undefined };
}

/** The container that runs dockerd, and where it stands. */
export interface Dind {
  readonly container: Container;
  readonly layout: Layout;
}

/** The container that runs dockerd for the jobs: of several, the one for which the most speaks. */
export function findDind(pod: Pod, names: ContainerNames): Dind | undefined {
  return findDinds(pod, names)[0];
}

/**
 * All containers that run dockerd, the likeliest first: what starts dockerd comes before what is privileged, then
 * before what has the profile's name for it, then before what has an image of the kind. They are native sidecars and
 * ordinary containers, but never the runner itself, nor init containers that end.
 */
export function findDinds({ spec }: Pod, { docker, runner }: ContainerNames): Dind[] {
  const sidecars = (spec.initContainers ?? []).filter(isSidecar);
  const others = spec.containers.filter(({ name }) => name !== runner.container);
  return [
    ...sidecars.map((container) => ({ container, layout: "sidecar" as const })),
    ...others.map((container) => ({ container, layout: "container" as const })),
  ]
    .map((dind) => ({ dind, weight: evidence(dind.container, docker.container) }))
    .filter(({ weight }) => weight > 0)
    .toSorted((one, other) => other.weight - one.weight)
    .map(({ dind }) => dind);
}

/** How much speaks for a container running dockerd; 0 if nothing does, or if it is a mere client. */
function evidence(container: Container, name: string): number {
  const words = ownWords(container);
  const isPrivileged = container.securityContext?.privileged === true;
  const isNamed = container.name === name;
  const hasImage = isDindImage(container.image) || (isPrivileged && isLikeDind(container.image));
  const weight = (isPrivileged ? 4 : 0) + (isNamed ? 2 : 0) + (hasImage ? 1 : 0);
  if (startsDockerd(words)) return 8 + weight;
  if (parseImage(container.image ?? "").tag.includes("cli")) return 0;
  // docker:dind without privileges that is told to run something else: it prunes, loads images or the like.
  const isClient = !isPrivileged && words.length > 0 && !words[0]?.startsWith("-");
  return isNamed || (hasImage && !isClient) ? weight : 0;
}

/** Images of others (`cgr.dev/chainguard/docker-dind`), and Docker's without the word (`docker:29` is `docker:29-dind`). */
function isLikeDind(image: string | null | undefined): boolean {
  const { repository, tag } = parseImage(image ?? "");
  const last = baseName(repository);
  return last === "docker" || last.includes("dind") || tag.includes("dind");
}

const dockerdWord = /(?:^|[\s;&|(])(?:\/[\w./-]*\/)?dockerd(?:-entrypoint\.sh|-rootless\.sh)?(?=$|[\s;&|)])/g;

/** Whether the words of a command start dockerd, one of them or a shell string among them. */
export function startsDockerd(words: readonly string[]): boolean {
  return words.some((word) =>
    [...word.matchAll(dockerdWord)].some(({ index }) => !isLookedFor(word.slice(Math.max(0, index - 40), index))),
  );
}

/** Whether a command that looks for processes by name ends in this text. */
function isLookedFor(before: string): boolean {
  return /\b(pgrep|pkill|pidof|killall)( -\w+){0,4}$/.test(before);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
