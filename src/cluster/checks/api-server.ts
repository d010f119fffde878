import { check, unreadable } from "./check.ts";
import { isAtLeast } from "./versions.ts";

export const apiServer = check({
  name: "api-server",
  group: "cluster",
  description: "The API server's version, and whether it supports native sidecars and image volumes.",
  problems: {
    "too-old": {
      status: "fail",
      means: "arc-primer's webhook configuration uses match conditions, which require Kubernetes 1.28 or later.",
      do: "Upgrade the cluster to Kubernetes 1.28 or later.",
    },
    "no-native-sidecars": {
      status: "warn",
      means:
        "Kubernetes before 1.29 does not support native sidecars. ARC then runs DinD as an ordinary container, and arc-primer must do the same where it adds DinD.",
      do: "Set docker.injected.layout to container in the profiles with docker.inject (the chart sets it automatically), or upgrade to Kubernetes 1.29 or later.",
    },
  },
  run({ version, imageVolume }) {
    if (!("found" in version)) return [unreadable("the API server's version", version)];
    const { gitVersion } = version.found;
    const what = `Kubernetes ${gitVersion}`;
    if (isAtLeast(gitVersion, 1, 28) === false) return [{ problem: "too-old", what }];
    if (isAtLeast(gitVersion, 1, 29) === false) return [{ problem: "no-native-sidecars", what }];
    const images = imageVolume?.status === 201 ? keepsImageVolume(imageVolume.object) : isAtLeast(gitVersion, 1, 35);
    return [{ ok: `${what}, with native sidecars${images ? " and" : ", without"} image volumes` }];
  },
});

/** Whether the pod that a dry run returned still has its image volume. */
export function keepsImageVolume(pod: unknown): boolean {
  const { spec } = (pod ?? {}) as { spec?: { volumes?: { image?: unknown }[] } };
  return spec?.volumes?.some(({ image }) => image !== undefined) ?? false;
}
