import type { Reference } from "../readings.ts";
import { check, counted, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";

type Codes = "missing" | "no-key" | "no-storage-class";

export const references = check({
  name: "references",
  group: "scale sets",
  looksAt:
    "The Secrets, ConfigMaps and storage classes that profiles name, in the namespaces of the scale sets that get them.",
  problems: {
    missing: {
      status: "fail",
      means: "Pods start without it: jobs are not logged in, or do not trust the certificates.",
      do: "Create the KIND NAME in the namespace NAMESPACE, or take it out of the profile.",
    },
    "no-key": {
      status: "fail",
      means: "Pods start without it: the object is there, and what the profile wants of it is not.",
      do: "Give the KIND NAME in the namespace NAMESPACE the key KEY, or name the right key in the profile.",
    },
    "no-storage-class": {
      status: "fail",
      means: "Pods stay Pending for ever: their volume for Docker's data cannot be made.",
      do: "Name a storage class that is there (kubectl get storageclass), or none, for the cluster's default.",
    },
  },
  look({ references: all }) {
    if (all.length === 0) return [];
    const findings = all.flatMap(problemOf);
    return findings.length > 0
      ? findings
      : [{ ok: `${counted(all.length, "object")} that profiles name ${all.length === 1 ? "is" : "are"} there` }];
  },
});

function problemOf({ kind, namespace, name, key, setting, keys }: Reference): Finding<Codes>[] {
  const what = `${kind} ${namespace ? `${namespace}/` : ""}${name} (${setting})`;
  const names = { KIND: kind, NAMESPACE: namespace, NAME: name, KEY: key ?? "" };
  if ("missing" in keys) {
    return [{ problem: kind === "StorageClass" ? "no-storage-class" : "missing", what: `there is no ${what}`, names }];
  }
  if (!("found" in keys)) return [unreadable(what, keys)];
  if (key === undefined || keys.found.includes(key)) return [];
  return [{ problem: "no-key", what: `${what} has no key ${key}`, names }];
}
