import { annotationSize } from "../pod/annotations.ts";
import { annotationsOf } from "../pod/files.ts";
import type { FileSource, PodFile } from "../pod/files.ts";
import { buildkitRegistries, buildkitdToml } from "./buildkit.ts";
import type { BuildkitRegistries } from "./buildkit.ts";
import { daggerEngineJson } from "./dagger.ts";
import { endpointOf, isOnNode } from "./endpoint.ts";
import { caFile, hostsToml, hostsWithPrivateCA } from "./hosts-toml.ts";
import type { PrivateCA, RegistrySettings } from "./types.ts";

// The files that a profile's registries come to, one function for each program that reads them.

/** Where the profile's private certificates come from; undefined where it names none. */
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
 * What goes into dockerd's certs.d: mirrors, which only some dockerds read, and certificates, which all do. `leftOut` says
 * whether mirrors on the node's address had to be left out; those of Docker Hub are flags.
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
    ([host, { mirrors }]) => host !== "docker.io" && mirrors.some(({ url }) => isOnNode(endpointOf(url))),
  );
  return { hosts, certificates, leftOut };
}

export const buildkitdFile = "buildkitd.default.toml";

/**
 * What buildx reads when it creates a builder: none where there are no entries.
 *
 * @param entries what BuildKit is told about the registries of these settings
 * @param caPath where the certificates will lie, in the runner container
 * @returns the files; the certificates are among them as `ca.crt` if an entry needs them
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

/** What Dagger's engine is given: its registries, and the folder of certificates that it trusts. */
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

/** How many bytes of annotations a pod of this profile can come to carry for its files. */
export function annotationBytes(profile: RegistrySettings): number {
  const source = privateCASource(profile);
  const { hosts, certificates } = dockerdFiles(profile);
  // The path of the certificates is the pod's own; this one is longer than those in use.
  const files = buildkitFiles(profile, buildkitRegistries(profile.registries).entries, `/${"x".repeat(250)}`);
  const own = source ? [{ path: caFile, source }] : [];
  return annotationSize(annotationsOf([...hosts, ...certificates, ...files, ...daggerFiles(profile).files, ...own]));
}
