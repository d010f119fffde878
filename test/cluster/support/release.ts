import { spawnSync } from "node:child_process";
import { chartFolder, helm } from "../../support/helm.ts";
import type { Ran, Values } from "../../support/helm.ts";
import { kubectl, webhookImage } from "./stack.ts";

// The chart, installed as a release in the cluster under test.

export const release = "arc-primer";
export const namespace = "primer-system";
/** The host name that the API server uses for the webhook. */
export const serviceName = `${release}.${namespace}.svc`;

/** Values for a registry cache on a cluster that may lack persistent volumes, and the image with the digest in the values. */
export const cacheOnNode: Values = {
  enabled: true,
  image: { tag: "3", digest: "" },
  storage: { persistent: false, size: "1Gi" },
};

let image: string | undefined;

/** Adds the image under test to the values. */
export function withImage(values: Values): Values {
  image ??= webhookImage();
  const colon = image.lastIndexOf(":");
  return { ...values, image: { repository: image.slice(0, colon), tag: image.slice(colon + 1), digest: "" } };
}

/** Runs Helm on the release. @throws {Error} with Helm's output, if it fails */
export function onRelease(command: string, args: readonly string[] = [], values?: Values): Ran {
  const input = values && JSON.stringify(withImage(values));
  const given = input === undefined ? [] : ["--values", "-"];
  const ran = helm([...command.split(" "), release, ...args, "--namespace", namespace, ...given], input);
  if (ran.status !== 0) throw new Error(`helm ${command}: ${ran.stderr}${ran.stdout}`);
  return ran;
}

/** Runs `helm upgrade --install` with these values. It only waits with the argument `--wait`. */
export function install(values: Values, ...args: string[]): Ran {
  return onRelease("upgrade", ["--install", chartFolder, ...args], values);
}

/** Runs kubectl and returns its output. @throws {Error} if it fails */
export function kubectlPrints(args: readonly string[], input = ""): string {
  const { status, stdout, stderr } = spawnSync(kubectl(), args, { encoding: "utf8", input });
  if (status !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** The kinds and names of all objects in the cluster that belong to the release or its tests. */
export function objectsOfRelease(): string[] {
  const kinds = kubectlPrints(["api-resources", "--verbs=list", "-o", "name"]).trim().split("\n");
  const ignored = new Set(["events", "events.events.k8s.io"]); // they expire
  const listed = kinds.filter((kind) => !ignored.has(kind)).join(",");
  const selector = `app.kubernetes.io/instance=${release}`;
  const byLabel = kubectlPrints(["get", listed, "--all-namespaces", "-l", selector, "-o", "name"]);
  const ofHelm = kubectlPrints(["get", "secret", "--all-namespaces", "-l", `owner=helm,name=${release}`, "-o", "name"]);
  return `${byLabel}${ofHelm}`.split("\n").filter(Boolean);
}
