import type { Reference } from "../readings.ts";
import { check, counted, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";

type Codes = "missing" | "no-key" | "no-storage-class";

export const references = check({
  name: "references",
  group: "scale sets",
  description:
    "The Secrets, ConfigMaps and storage classes that profiles reference, in the namespaces of the scale sets with these profiles.",
  problems: {
    missing: {
      status: "fail",
      means: "Pods start without it: jobs are not logged in to the registry, or do not trust the certificates.",
      do: "Create the KIND NAME in the namespace NAMESPACE, or remove it from the profile.",
    },
    "no-key": {
      status: "fail",
      means: "Pods start without it: the object exists, but lacks the key that the profile references.",
      do: "Add the key KEY to the KIND NAME in the namespace NAMESPACE, or correct the key in the profile.",
    },
    "no-storage-class": {
      status: "fail",
      means: "Pods stay Pending: their volume for Docker's data cannot be provisioned.",
      do: "Set an existing storage class (kubectl get storageclass), or remove the setting to use the cluster's default.",
    },
  },
  run({ references: all }) {
    if (all.length === 0) return [];
    const findings = all.flatMap(problemOf);
    return findings.length > 0
      ? findings
      : [{ ok: `${counted(all.length, "object")} that profiles reference ${all.length === 1 ? "exists" : "exist"}` }];
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
