import { certsFolder } from "../docker/certs-d.ts";
import { findDind, isDindImage } from "../docker/dind.ts";
import { addFlags, dockerdFlags } from "../docker/dockerd.ts";
import { containerdFeature, hostsTomlSupport, mayKeepDockerData } from "../docker/image-store.ts";
import type { Mutation } from "../engine/mutation.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import { mountFiles, provideFiles } from "../pod/files.ts";
import { isOccupied } from "../pod/mounts.ts";
import { dockerdFiles } from "../registries/files.ts";
import type { Note } from "../report/reasons.ts";

const volume = "registry-hosts";

/**
 * Points the DinD container's dockerd, and with it `docker build`, at mirrors of any registry, and lets it trust private
 * certificates for the registries that need them: files in its certs.d (`HOST/hosts.toml`, `HOST/ca.crt`). Which dockerds
 * read the first of these is told by src/docker/image-store.ts; the second all do. The mount hides what an image of
 * somebody's own has in certs.d; a mount for each host would not, but a mountPath must not contain `:` (API reference, VolumeMount), so there is none for
 * HOST:PORT.
 */
export const registryHosts: Mutation = {
  name: "registry-hosts",
  configure(profile) {
    const { docker } = profile;
    if (!docker.hosts.enabled) return "disabled";
    const { hosts, certificates, leftOut } = dockerdFiles(profile);
    if (hosts.length + certificates.length === 0) return leftOut ? "no-usable-mirror" : "not-configured";

    return (pod) => {
      const dind = findDind(pod, profile)?.container;
      if (!dind) return doesNotApply("no-dind");

      const { flags, obstacle } = dockerdFlags(dind, pod);
      const support = hostsTomlSupport(dind, flags, docker.imageStore);
      const unsupported = support === "supported" || support === "with-feature-flag" ? undefined : support;
      if (unsupported && certificates.length === 0) return doesNotApply(unsupported);
      const folder = certsFolder(dind);
      if (folder === undefined) return doesNotApply("path-unknown");
      if (isOccupied(pod, dind, folder)) return doesNotApply("certs-d-mounted");
      if (!provideFiles(pod, volume, [...(unsupported ? [] : hosts), ...certificates]))
        return doesNotApply("no-room-for-files");
      mountFiles(dind, volume, folder);

      const notes: Note[] = leftOut ? ["mirrors-left-out"] : [];
      if (!isDindImage(dind.image)) notes.push("certs-d-hidden");
      if (hosts.length > 0 && docker.imageStore === "auto" && support === "supported" && mayKeepDockerData(pod, dind))
        notes.push("docker-data-kept");
      if (hosts.length > 0 && !unsupported && support === "with-feature-flag") {
        // Where flags can't be added, a daemon.json or the like may say it: the profile does say that it is so.
        if (obstacle) notes.push("feature-flag-left-out");
        else addFlags(dind, [`--feature=${containerdFeature}=true`]);
      }
      return applies(...(unsupported && hosts.length > 0 ? [unsupported] : []), ...notes);
    };
  },
};
