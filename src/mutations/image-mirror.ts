import { findDinds } from "../docker/dind.ts";
import { isAtMirror, mirroredImage } from "../docker/image-mirror.ts";
import type { Mutation } from "../engine/mutation.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import { findContainer, ownPrefix } from "../pod/containers.ts";
import type { Container, Pod } from "../pod/types.ts";

/** The init containers that ARC's charts and GitHub's rootless template add for DinD. */
const dindInitContainers = ["init-dind-externals", "init-dind-rootless"];

/**
 * Rewrites image names so that the kubelet pulls from a mirror: the images of the runner, of DinD and of their init
 * containers. Other containers are not changed. The kubelet has no fallback if a mirror fails. So only `images.mirrors`
 * is used, never the mirrors in `registries`.
 *
 * The API server adds the service account's pull secrets only to a pod that has none, and before webhooks are called
 * (plugin/pkg/admission/serviceaccount). So the profile's pull secrets are added to them and do not replace them.
 */
export const imageMirror: Mutation = {
  name: "image-mirror",
  permissions: ["add-pull-secrets"],
  configure({ docker, runner, images }) {
    const { enabled, mirrors, pullSecrets } = images;
    if (!enabled) return "disabled";
    if (Object.keys(mirrors).length === 0) return "not-configured";

    return (pod) => {
      const container = findContainer(pod, runner.container);
      if (!container) return doesNotApply("no-runner-container");
      const dinds = findDinds(pod, { docker, runner }).map((dind) => dind.container);
      const isOurs = ({ name }: { name: string }) => name.startsWith(ownPrefix) || dindInitContainers.includes(name);
      const candidates = [container, ...dinds, ...(pod.spec.initContainers ?? []).filter(isOurs)];
      for (const one of candidates) if (one.image) one.image = mirroredImage(one.image, mirrors);
      mirrorExternals(pod, dinds, mirrors);
      if (!candidates.some(({ image }) => isAtMirror(image ?? "", mirrors))) return doesNotApply("no-image-mirror");
      addPullSecrets(pod, pullSecrets);
      return applies();
    };
  },
};

/** The kubelet also pulls the image of the image volume with the runner's externals (see externals-volume). */
function mirrorExternals({ spec }: Pod, dinds: readonly Container[], mirrors: Readonly<Record<string, string>>): void {
  const mounted = dinds
    .flatMap(({ volumeMounts }) => volumeMounts ?? [])
    .filter(({ subPath }) => subPath?.endsWith("externals"))
    .map(({ name }) => name);
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    const reference = mounted.includes(volume.name) ? volume.image?.reference : undefined;
    if (reference === undefined || !spec.volumes) continue;
    const mirrored = mirroredImage(reference, mirrors);
    if (mirrored !== reference) spec.volumes[index] = { ...volume, image: { ...volume.image, reference: mirrored } };
  }
}

function addPullSecrets({ spec }: Pod, names: readonly string[]): void {
  const present = spec.imagePullSecrets ?? [];
  const missing = names.filter((name) => !present.some((secret) => secret.name === name));
  if (missing.length > 0) spec.imagePullSecrets = [...present, ...missing.map((name) => ({ name }))];
}
