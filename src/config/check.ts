import { annotationLimit } from "../pod/annotations.ts";
import { annotationBytes } from "../registries/files.ts";
import type { Path, Problem } from "./problem.ts";
import type { Profile } from "./schema.ts";

/** What is left to the pod's own annotations, and to the status. */
const others = 16 * 1024;

/**
 * What is wrong with the registries of a profile that has everything merged into it: private certificates that are not
 * there, and more text than the annotations of a pod can carry.
 */
export function registryProblems(profile: Profile): Problem[] {
  const { privateCA, registries } = profile;
  const problems: Problem[] = [];
  const add = (path: Path, message: string) => problems.push({ path: ["profiles", profile.name, ...path], message });

  const hasSource = privateCA?.pem !== undefined || privateCA?.configMap || privateCA?.secret;
  if (privateCA && !hasSource) add(["privateCA"], "the certificates come from one of pem, configMap and secret");
  const missing = "the profile has no certificates for it: name them as privateCA of the profile";
  for (const [host, registry] of Object.entries(registries)) {
    if (registry.privateCA && !privateCA) add(["registries", host, "privateCA"], missing);
    if (host === "docker.io" && registry.insecure) add(["registries", host, "insecure"], "Docker Hub is not insecure");
    for (const [index, mirror] of registry.mirrors.entries()) {
      if (mirror.privateCA && !privateCA) add(["registries", host, "mirrors", index, "privateCA"], missing);
    }
  }
  const bytes = annotationBytes(profile);
  if (bytes > annotationLimit - others) {
    add(
      privateCA?.pem ? ["privateCA", "pem"] : ["registries"],
      `the files for this come to ${bytes} bytes of annotations, and a pod has room for ${annotationLimit - others} beside its own` +
        (privateCA?.pem ? "; a ConfigMap can hold the certificates (privateCA.configMap)" : ""),
    );
  }
  return problems;
}
