import jsonPatch from "fast-json-patch";
import { annotationsFit } from "./annotations.ts";
import { ownPrefix } from "./containers.ts";
import { ensureMount } from "./mounts.ts";
import type { Container, Pod, Volume } from "./types.ts";

/**
 * The source of a file's content: a text, stored in the annotation `arc-primer.dev/NAME`, or a key of a ConfigMap or
 * Secret in the pod's namespace. The ConfigMap or Secret is optional: if it is missing, the pod starts without the file.
 */
export type FileSource =
  | { readonly annotation: string; readonly text: string }
  | { readonly configMap: { readonly name: string; readonly key: string } }
  | { readonly secret: { readonly name: string; readonly key: string } };

/** A file in a directory. `path` is relative to the directory. */
export interface PodFile {
  readonly path: string;
  readonly source: FileSource;
}

const domain = "arc-primer.dev/";

/** The annotations that store the texts of these files. */
export function annotationsOf(files: readonly PodFile[]): Record<string, string> {
  return Object.fromEntries(
    files.flatMap(({ source }) => ("annotation" in source ? [[domain + source.annotation, source.text]] : [])),
  );
}

/**
 * Adds a volume with these files to the pod. The texts are stored in the pod's own annotations, which a projected volume
 * exposes as files (`downwardAPI`). So no object has to be created in the namespace, and no permissions are needed. Every
 * Pod Security level allows projected volumes.
 *
 * @param name the name of the volume, without the prefix `arc-primer-`
 * @returns false, without changing the pod, if the annotations would exceed the API server's limit
 */
export function provideFiles(pod: Pod, name: string, files: readonly PodFile[]): boolean {
  const { annotations: there } = pod.metadata;
  const own = annotationsOf(files);
  if (Object.entries(own).some(([key, text]) => there?.[key] !== text)) {
    const annotations = { ...there, ...own };
    if (!annotationsFit(annotations)) return false;
    pod.metadata.annotations = annotations;
  }

  const volume = volumeOf(ownPrefix + name, files);
  const volumes = pod.spec.volumes ?? [];
  const index = volumes.findIndex((one) => one.name === volume.name);
  if (index < 0) pod.spec.volumes = [...volumes, volume];
  else if (!isSame(volumes[index]!, volume)) volumes[index] = volume;
  return true;
}

// Includes every default that the API server would set, so that the volume is unchanged in a second pass.
function volumeOf(name: string, files: readonly PodFile[]): Volume {
  const sources = files.map(({ path, source }) => {
    if ("annotation" in source) {
      const fieldRef = { apiVersion: "v1", fieldPath: `metadata.annotations['${domain}${source.annotation}']` };
      return { downwardAPI: { items: [{ path, fieldRef }] } };
    }
    return "configMap" in source
      ? { configMap: { name: source.configMap.name, items: [{ key: source.configMap.key, path }], optional: true } }
      : { secret: { name: source.secret.name, items: [{ key: source.secret.key, path }], optional: true } };
  });
  return { name, projected: { defaultMode: 0o644, sources } };
}

/** Mounts the volume that `provideFiles` has added under this name, read-only, unless it is already mounted there. */
export function mountFiles(container: Container, name: string, mountPath: string): void {
  ensureMount(container, { name: ownPrefix + name, mountPath, readOnly: true });
}

/** Whether two values are equal as JSON. The order of keys is ignored, because the API server may have reordered them. */
function isSame(one: object, other: object): boolean {
  return jsonPatch.compare(one, other).length === 0;
}
