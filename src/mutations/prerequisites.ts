import { bundleWord, bundlesFor } from "../bundles/bundle.ts";
import { mirrorWords, settingsDigest, settingsWords } from "../bundles/settings.ts";
import type { Profile } from "../config/schema.ts";
import type { Mutation, PodContext } from "../engine/mutation.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import { findContainer, jobsRunElsewhere } from "../pod/containers.ts";
import { escapeForKubelet } from "../pod/expansion.ts";
import { helperContainer } from "../pod/helper-container.ts";
import { ensureMount, ensureVolume } from "../pod/mounts.ts";
import type { Container, Pod } from "../pod/types.ts";
import { defineWrapper, wrapCommand } from "../pod/wrap.ts";
import type { MutationReason } from "../report/reasons.ts";
import applyScript from "../scripts/apply-packages.sh";
import installScript from "../scripts/install-packages.sh";

/** The name of the init container, and of the volume that passes the packages to the runner container. */
const name = "arc-primer-prerequisites";
const escapedScript = escapeForKubelet(installScript);
const wrapper = defineWrapper("arc-primer-packages", applyScript);
const directory = "/arc-primer/prerequisites";

/**
 * Installs packages that are missing from the runner's image, without a custom image. An init container runs the runner's
 * image as root, installs the packages and archives the changed files (src/scripts/install-packages.sh). A wrapper around
 * the runner's command extracts the archive (src/scripts/apply-packages.sh).
 *
 * The init container comes last. By then, the sidecars are running: dockerd starts at the same time, and the proxy of a
 * service mesh is ready.
 *
 * If package bundles for the profile and the image are available, they are passed to the init container as arguments. It
 * uses the bundle for its architecture instead of running apt, if the bundle was built from the same image.
 */
export const prerequisites: Mutation = {
  name: "prerequisites",
  configure({ name: profile, runner, prerequisites: settings }) {
    const { enabled, packages, script, onFailure, sizeLimit } = settings;
    if (!enabled) return "disabled";
    const installs = packages.length > 0 || script !== undefined;
    const keepArgs = aptKeepArgs(settings);
    if (!installs && keepArgs.length === 0) return "not-configured";
    const installArgs = [`directory=${directory}`, ...settingsWords(settings)];
    const digest = settingsDigest(settings);
    const wrapperArgs = [...(installs ? [`directory=${directory}`, `on-failure=${onFailure}`] : []), ...keepArgs];

    return (pod, context) => {
      const container = findContainer(pod, runner.container);
      if (!container) return doesNotApply("no-runner-container");
      if (jobsRunElsewhere(container)) return doesNotApply("kubernetes-mode");
      const obstacle = installObstacle(pod, container, context);
      if (obstacle) return doesNotApply(obstacle);
      if (!wrapCommand(container, wrapper, wrapperArgs, runner.command)) return doesNotApply("no-command");
      if (!installs) return applies();

      if (isNameTaken(pod)) return doesNotApply("name-taken");
      const { image = "" } = container;
      const bundleArgs = bundlesFor(context.bundles ?? [], { profile, image, settings: digest }).map(bundleWord);
      let added = pod.spec.initContainers?.find((one) => one.name === name);
      if (!added) {
        added = installer(container, [...installArgs, ...bundleArgs], packages);
        (pod.spec.initContainers ??= []).push(added);
      }
      ensureVolume(pod, { name, emptyDir: { sizeLimit } });
      ensureMount(container, { name, mountPath: directory, readOnly: true });
      const isOffered = bundleArgs.some((arg) => added.command?.includes(escapeForKubelet(arg)));
      return isOffered ? applies("bundle-offered") : applies();
    };
  },
};

/** The wrapper's arguments that configure the proxy and the mirrors for the job's own apt, with `apt.keep`. */
function aptKeepArgs({ apt: { keep, proxy, mirrors } }: Profile["prerequisites"]): string[] {
  return keep ? [...(proxy === undefined ? [] : [`proxy=${proxy}`]), ...mirrorWords(mirrors)] : [];
}

/** Whether another container or volume of the pod has our name. Root must not write to a volume that is not ours. */
function isNameTaken({ spec }: Pod): boolean {
  const volume = spec.volumes?.find((one) => one.name === name);
  const isOther = (one: Container) => one.name === name && !isOurs(one);
  return (
    (volume !== undefined && !volume.emptyDir) ||
    spec.containers.some((one) => one.name === name) ||
    (spec.initContainers ?? []).some(isOther)
  );
}

/** Whether an earlier pass has added the container, even if another webhook has modified it since. */
function isOurs({ command, args }: Container): boolean {
  return [...(command ?? []), ...(args ?? [])].includes(escapedScript);
}

/** The reason why packages could not be installed as root in the init container or with sudo in the runner container. */
function installObstacle(pod: Pod, runner: Container, { podSecurity }: PodContext): MutationReason | undefined {
  if (podSecurity === "restricted") return "pod-security";
  const { allowPrivilegeEscalation, capabilities, privileged, readOnlyRootFilesystem, runAsUser } =
    runner.securityContext ?? {};
  if (readOnlyRootFilesystem) return "read-only-root";
  const isRoot = (runAsUser ?? pod.spec.securityContext?.runAsUser) === 0;
  if (!isRoot && allowPrivilegeEscalation === false) return "escalation-forbidden";
  if (privileged) return undefined;
  const needed = ["CHOWN", "DAC_OVERRIDE", "FOWNER", ...(isRoot ? [] : ["SETUID", "SETGID"])];
  const has = (list: readonly string[] | null | undefined, capability: string) =>
    list?.some((one) => [capability, "ALL"].includes(one.toUpperCase().replace(/^CAP_/, ""))) ?? false;
  const isMissing = needed.some((one) => has(capabilities?.drop, one) && !has(capabilities?.add, one));
  return isMissing ? "capabilities-dropped" : undefined;
}

function installer(runner: Container, settings: readonly string[], packages: readonly string[]): Container {
  return helperContainer(runner, {
    name,
    command: ["/bin/sh", "-c", escapedScript, name, ...settings.map(escapeForKubelet), "--"],
    ...(packages.length > 0 && { args: [...packages] }),
    // The runner's user cannot install packages. With the pod's runAsNonRoot, this container would not start.
    securityContext: { runAsUser: 0, runAsGroup: 0, runAsNonRoot: false },
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [{ name, mountPath: directory }],
  });
}
