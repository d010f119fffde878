import { mountFiles, provideFiles } from "./files.ts";
import type { PodFile } from "./files.ts";
import type { Container, Pod } from "./types.ts";
import { defineWrapper, appendArgs, wrapCommand } from "./wrap.ts";
import script from "../scripts/place-files.sh";

/** One for all mutations that place files: each tells it more. */
export const filesWrapper = defineWrapper("arc-primer-files", script);

/** Where the runner container sees what is provided by this name. */
export function filesFolder(name: string): string {
  return `/etc/arc-primer/${name}`;
}

/**
 * Has files put in place in the runner container before the job, by src/scripts/place-files.sh. A mount in a home would
 * leave parents that belong to root.
 *
 * @param plan.name of volume and mount
 * @param plan.steps what the script is to do, a group of words each
 * @param plan.command the command that the profile names, for a container without one
 * @returns why it can't be done; the pod is then to be left as it was
 */
export function placeInRunner(
  pod: Pod,
  container: Container,
  plan: {
    name: string;
    files: readonly PodFile[];
    steps: readonly (readonly string[])[];
    command: readonly string[] | undefined;
  },
): "no-command" | "no-room-for-files" | undefined {
  const isAppended = appendArgs(container, filesWrapper.name, plan.steps);
  if (!isAppended && !wrapCommand(container, filesWrapper, plan.steps.flat(), plan.command)) return "no-command";
  if (!provideFiles(pod, plan.name, plan.files)) return "no-room-for-files";
  mountFiles(container, plan.name, filesFolder(plan.name));
  return undefined;
}
