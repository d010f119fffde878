import { annotationSize } from "../pod/annotations.ts";
import { annotationsOf } from "../pod/files.ts";
import type { FileSource, PodFile } from "../pod/files.ts";
import { buildkitRegistries, buildkitdToml } from "./buildkit.ts";
import type { BuildkitRegistries } from "./buildkit.ts";
import { daggerEngineJson } from "./dagger.ts";
import { endpointOf, usesHostIp } from "./endpoint.ts";
import { caFile, hostsToml, hostsWithPrivateCA } from "./hosts-toml.ts";
import type { PrivateCA, RegistrySettings } from "./types.ts";

// Generates the files for a profile's registries, with one function for each program that reads them.

/** The source of the profile's private certificates. Undefined if it has none. */
export function privateCASource({ privateCA }: { readonly privateCA?: PrivateCA | undefined }): FileSource | undefined {
  if (privateCA?.pem !== undefined) return { annotation: "ca", text: privateCA.pem };
  if (privateCA?.configMap) return { configMap: privateCA.configMap };
  return privateCA?.secret && { secret: privateCA.secret };
}

export interface DockerdFiles {
  readonly hosts: readonly PodFile[];
  readonly certificates: readonly PodFile[];
  readonly leftOut: boolean;
}

/**
 * The files for dockerd's certs.d. Only some versions of dockerd read `hosts` (mirrors), but all of them read
 * `certificates`. `leftOut`: whether mirrors at the node's IP address were left out. Docker Hub does not count, because its
 * mirrors are set as flags.
 */
export function dockerdFiles(profile: RegistrySettings): DockerdFiles {
  const source = privateCASource(profile);
  const hosts = Object.entries(profile.registries).flatMap(([host, registry], index): PodFile[] => {
    const text = hostsToml(host, registry);
    return text === undefined ? [] : [{ path: `${host}/hosts.toml`, source: { annotation: `hosts-${index}`, text } }];
  });
  const certificates = source
    ? hostsWithPrivateCA(profile.registries).map((host): PodFile => ({ path: `${host}/${caFile}`, source }))
    : [];
  const leftOut = Object.entries(profile.registries).some(
    ([host, { mirrors }]) => host !== "docker.io" && mirrors.some(({ url }) => usesHostIp(endpointOf(url))),
  );
  return { hosts, certificates, leftOut };
}

export const buildkitdFile = "buildkitd.default.toml";

/**
 * The files that buildx reads when it creates a builder. Empty if there are no entries.
 *
 * @param entries BuildKit's entries for the registries of these settings
 * @param caPath the path at which the certificates will be in the runner container
 * @returns the files, including `ca.crt` if an entry needs the certificates
 */
export function buildkitFiles(
  settings: RegistrySettings,
  entries: BuildkitRegistries["entries"],
  caPath: string,
): PodFile[] {
  if (entries.size === 0) return [];
  const source = [...entries.values()].some(({ privateCA }) => privateCA) ? privateCASource(settings) : undefined;
  const text = buildkitdToml(entries, caPath);
  return [
    { path: buildkitdFile, source: { annotation: "buildkitd", text } },
    ...(source ? [{ path: caFile, source }] : []),
  ];
}

/** The files for Dagger's engine: engine.json with the registries, and the private certificates to trust. */
export function daggerFiles(profile: RegistrySettings): { files: readonly PodFile[]; leftOut: boolean } {
  const { entries, leftOut } = buildkitRegistries(profile.registries);
  const text = daggerEngineJson(entries);
  const source = privateCASource(profile);
  return {
    files: [
      ...(text === undefined ? [] : [{ path: "engine.json", source: { annotation: "dagger-engine", text } }]),
      ...(source ? [{ path: "ca-certificates/arc-primer.crt", source }] : []),
    ],
    leftOut,
  };
}

/** The maximum size, in bytes, of the annotations for the files of this profile. */
export function annotationBytes(profile: RegistrySettings): number {
  const source = privateCASource(profile);
  const { hosts, certificates } = dockerdFiles(profile);
  // The real path depends on the pod. This path is longer than any in use.
  const files = buildkitFiles(profile, buildkitRegistries(profile.registries).entries, `/${"x".repeat(250)}`);
  const caFiles = source ? [{ path: caFile, source }] : [];
  return annotationSize(
    annotationsOf([...hosts, ...certificates, ...files, ...daggerFiles(profile).files, ...caFiles]),
  );
}
