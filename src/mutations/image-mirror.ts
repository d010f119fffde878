import { findDinds } from "../docker/dind.ts";
import { isAtMirror, mirroredImage } from "../docker/image-mirror.ts";
import type { Mutation } from "../engine/mutation.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import { findContainer, ownPrefix } from "../pod/containers.ts";
import type { Container, Pod } from "../pod/types.ts";

/** The init containers that ARC's charts and GitHub's rootless template put before DinD. */
const helpers = ["init-dind-externals", "init-dind-rootless"];

/**
 * Has the kubelet pull the images of the runner, of DinD and of the init containers that belong to them from a mirror.
 * Other containers are somebody else's business. The kubelet has no second address for an image, so nothing but the
 * profile's own word for a registry counts, never `registries`.
 *
 * The API server adds the pull secrets of the service account only to a pod that has none, and does so before webhooks see
 * the pod (plugin/pkg/admission/serviceaccount): these come on top.
 */
export const imageMirror: Mutation = {
  name: "image-mirror",
  may: ["add-pull-secrets"],
  configure({ docker, runner, images }) {
    const { enabled, mirrors, pullSecrets } = images;
    if (!enabled) return "disabled";
    if (Object.keys(mirrors).length === 0) return "not-configured";

    return (pod) => {
      const container = findContainer(pod, runner.container);
      if (!container) return doesNotApply("no-runner-container");
      const dinds = findDinds(pod, { docker, runner }).map((dind) => dind.container);
      const isOurs = ({ name }: { name: string }) => name.startsWith(ownPrefix) || helpers.includes(name);
      const candidates = [container, ...dinds, ...(pod.spec.initContainers ?? []).filter(isOurs)];
      for (const one of candidates) if (one.image) one.image = mirroredImage(one.image, mirrors);
      mirrorExternals(pod, dinds, mirrors);
      if (!candidates.some(({ image }) => isAtMirror(image ?? "", mirrors))) return doesNotApply("no-image-mirror");
      addPullSecrets(pod, pullSecrets);
      return applies();
    };
  },
};

/** The image volume with the runner's externals (externals-volume) is pulled by the kubelet as well. */
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
