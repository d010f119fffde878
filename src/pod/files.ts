import jsonPatch from "fast-json-patch";
import { annotationsFit } from "./annotations.ts";
import { ownPrefix } from "./containers.ts";
import { ensureMount } from "./mounts.ts";
import type { Container, Pod, Volume } from "./types.ts";

/**
 * Where the content of a file comes from: a text of ours, which an annotation `arc-primer.dev/NAME` carries, or a key of
 * a ConfigMap or Secret in the pod's namespace. That one may be missing: the file is then missing too, and the pod starts.
 */
export type FileSource =
  | { readonly annotation: string; readonly text: string }
  | { readonly configMap: { readonly name: string; readonly key: string } }
  | { readonly secret: { readonly name: string; readonly key: string } };

/** A file in a folder; `path` is relative to it. */
export interface PodFile {
  readonly path: string;
  readonly source: FileSource;
}

const domain = "arc-primer.dev/";

/** The annotations that carry these files' texts. */
export function annotationsOf(files: readonly PodFile[]): Record<string, string> {
  return Object.fromEntries(
    files.flatMap(({ source }) => ("annotation" in source ? [[domain + source.annotation, source.text]] : [])),
  );
}

/**
 * Gives the pod a volume with these files, with nothing but what a pod can carry itself: annotations, which a projected
 * volume shows as files (`downwardAPI`). So no object is made in the namespace, and no right is needed. Every Pod
 * Security level allows such volumes.
 *
 * @param name of the volume, behind `arc-primer-`
 * @returns false, with nothing changed, if the annotations would be larger than the API server takes
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

// With every default that the API server would put in, so that a second pass finds what the first one wrote.
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

/** Mounts what `provideFiles` provided by that name, read-only, unless it is mounted there already. */
export function mountFiles(container: Container, name: string, mountPath: string): void {
  ensureMount(container, { name: ownPrefix + name, mountPath, readOnly: true });
}

/** Whether two values are the same JSON, whatever the order of their keys: the API server may have reordered ours. */
function isSame(one: object, other: object): boolean {
  return jsonPatch.compare(one, other).length === 0;
}
