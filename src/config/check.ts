import { annotationLimit } from "../pod/annotations.ts";
import { annotationBytes } from "../registries/files.ts";
import type { Path, Problem } from "./problem.ts";
import type { Profile } from "./schema.ts";

/** Bytes reserved for the pod's own annotations and for the status annotation. */
const reservedBytes = 16 * 1024;

/**
 * Checks the registries of a merged profile. Reports, among others, references to a private CA that the profile does not
 * define, and files that do not fit into a pod's annotations.
 */
export function registryProblems(profile: Profile): Problem[] {
  const { privateCA, registries } = profile;
  const problems: Problem[] = [];
  const add = (path: Path, message: string) => problems.push({ path: ["profiles", profile.name, ...path], message });

  const hasSource = privateCA?.pem !== undefined || privateCA?.configMap || privateCA?.secret;
  if (privateCA && !hasSource) add(["privateCA"], "set exactly one of pem, configMap and secret");
  const missing = "the profile has no private CA: set privateCA in the profile";
  for (const [host, registry] of Object.entries(registries)) {
    if (registry.privateCA && !privateCA) add(["registries", host, "privateCA"], missing);
    if (host === "docker.io" && registry.insecure)
      add(["registries", host, "insecure"], "insecure cannot be set for Docker Hub");
    for (const [index, mirror] of registry.mirrors.entries()) {
      if (mirror.privateCA && !privateCA) add(["registries", host, "mirrors", index, "privateCA"], missing);
    }
  }
  const bytes = annotationBytes(profile);
  if (bytes > annotationLimit - reservedBytes) {
    add(
      privateCA?.pem ? ["privateCA", "pem"] : ["registries"],
      `the files for this need ${bytes} bytes of annotations, but a pod has room for only ${annotationLimit - reservedBytes}` +
        (privateCA?.pem ? "; put the certificates into a ConfigMap (privateCA.configMap)" : ""),
    );
  }
  return problems;
}
