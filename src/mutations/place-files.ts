import { mountFiles, provideFiles } from "../pod/files.ts";
import type { PodFile } from "../pod/files.ts";
import { ownPrefix } from "../pod/containers.ts";
import type { Container, Pod } from "../pod/types.ts";
import { isWrapped, wrapCommand } from "../pod/wrap.ts";
import type { MutationReason } from "../runner/reasons.ts";
import script from "../scripts/place-files.sh";

/** Where the runner container sees what is provided by this name. */
export function mountedAt(name: string): string {
  return `/etc/arc-primer/${name}`;
}

/**
 * Has files put in place in the runner container before the job, by src/scripts/place-files.sh. A mount in a home would
 * leave parents that belong to root.
 *
 * @param plan.name of volume, mount and wrapper
 * @param plan.words what the script is to do
 * @param plan.command the command that the profile names, for a container without one
 * @returns why it can't be done; the pod is then to be left as it was
 */
export function placeInRunner(
  pod: Pod,
  container: Container,
  plan: { name: string; files: readonly PodFile[]; words: readonly string[]; command: readonly string[] | undefined },
): MutationReason | undefined {
  const wrapper = ownPrefix + plan.name;
  if (!isWrapped(container, wrapper)) {
    const command = container.command?.length ? container.command : plan.command;
    if (!command) return "no-command";
    wrapCommand(container, command, { name: wrapper, script, settings: plan.words });
  }
  if (!provideFiles(pod, plan.name, plan.files)) return "no-room-for-files";
  mountFiles(container, plan.name, mountedAt(plan.name));
  return undefined;
}
