import { envEntry } from "../pod/env.ts";
import { proxyAndResources } from "../pod/helper-container.ts";
import type { Container, EnvVar } from "../pod/types.ts";

/**
 * The proxy variables for dockerd, copied from the runner container, which is the only container that ARC sets them in.
 * Hosts to reach without the proxy are added to NO_PROXY. If the value of NO_PROXY comes from a Secret, as in ARC, it is
 * stored in a separate variable that the new NO_PROXY refers to, and the kubelet expands the reference.
 *
 * @returns an empty list if the runner has no proxy
 */
export function proxyForDockerd(runner: Container, noProxyHosts: readonly string[]): EnvVar[] {
  const { env = [] } = proxyAndResources(runner);
  if (env.length === 0 || noProxyHosts.length === 0) return env;
  const extended = env.flatMap((entry) => (isNoProxy(entry) ? withHosts(entry, noProxyHosts) : [entry]));
  const all = env.some(isNoProxy) ? extended : [...extended, { name: "no_proxy", value: noProxyHosts.join(",") }];
  // The kubelet expands only references to variables that are defined earlier in the list.
  return noProxyHosts.some((host) => host.includes("$(HOST_IP)")) ? [hostIp, ...all] : all;
}

/** A variable with the node's IP address. Other variables and the arguments of the container can refer to it. */
export const hostIp: EnvVar = {
  name: "HOST_IP",
  valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "status.hostIP" } },
};

function isNoProxy({ name }: EnvVar): boolean {
  return name.toLowerCase() === "no_proxy";
}

function withHosts(entry: EnvVar, hosts: readonly string[]): EnvVar[] {
  if (!entry.valueFrom) return [{ ...entry, value: [...(entry.value ? [entry.value] : []), ...hosts].join(",") }];
  const renamed = `ARC_PRIMER_${entry.name}`;
  return [
    { ...entry, name: renamed },
    { name: entry.name, value: [`$(${renamed})`, ...hosts].join(",") },
  ];
}

/**
 * Sets the variables in a container. A variable that the container sets itself is kept; upper and lower case count as one.
 *
 * @returns whether a variable with a different value was kept
 */
export function setProxy(dind: Container, variables: readonly EnvVar[]): boolean {
  const presentNames = new Set((dind.env ?? []).map(({ name }) => name.toLowerCase()));
  let isKept = false;
  for (const entry of variables) {
    const present = envEntry(dind, entry.name);
    if (!present && !presentNames.has(entry.name.toLowerCase())) (dind.env ??= []).push({ ...entry });
    else if (!present || !isSame(present, entry)) isKept = true;
  }
  return isKept;
}

function isSame(one: EnvVar, other: EnvVar): boolean {
  const source = ({ valueFrom }: EnvVar) =>
    valueFrom?.secretKeyRef ?? valueFrom?.configMapKeyRef ?? valueFrom?.fieldRef;
  const [first, second] = [source(one), source(other)] as Record<string, unknown>[];
  if (!first || !second) return !first && !second && (one.value ?? "") === (other.value ?? "");
  return ["name", "key", "fieldPath"].every((key) => first[key] === second[key]);
}
