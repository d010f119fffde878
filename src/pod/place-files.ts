import { mountFiles, provideFiles } from "./files.ts";
import type { PodFile } from "./files.ts";
import type { Container, Pod } from "./types.ts";
import { defineWrapper, appendArgs, wrapCommand } from "./wrap.ts";
import script from "../scripts/place-files.sh";

/** The wrapper that all mutations that place files share. Each mutation appends its arguments. */
export const filesWrapper = defineWrapper("arc-primer-files", script);

/** The directory in the runner container where the files with this name are mounted. */
export function filesFolder(name: string): string {
  return `/etc/arc-primer/${name}`;
}

/**
 * Copies files into the runner container before the job, with src/scripts/place-files.sh. Mounting them in a home
 * directory would create parent directories that belong to root.
 *
 * @param plan.name the name of the volume and of the mount
 * @param plan.steps the steps for the script, each a group of arguments
 * @param plan.command the command from the profile, for a container without a command
 * @returns the reason if the files cannot be placed. The caller must then discard the changes to the pod
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
