// Schemas for addresses in the configuration: registries, mirrors, networks. They accept what dockerd accepts.
import * as z from "zod";
import { hostIpReference } from "../registries/endpoint.ts";

function isHostAndPort(text: string): boolean {
  const example = text.replace(`[${hostIpReference}]`, "[::1]").replace(hostIpReference, "127.0.0.1");
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i.exec(example);
  if (!match) return false;
  const [, host = "", port = "1"] = match;
  const isHost = host.startsWith("[")
    ? z.ipv6().safeParse(host.slice(1, -1)).success
    : /^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?)*$/i.test(host) && host.length <= 253;
  return isHost && Number(port) >= 1 && Number(port) <= 65_535;
}

/** A registry host as used by dockerd and in image names: `ghcr.io`, `harbor.example.com:8443`. */
export const registryHost = z.string().superRefine((text, context) => {
  if (["index.docker.io", "registry-1.docker.io", "hub.docker.com"].includes(text)) {
    context.addIssue(`use docker.io for Docker Hub, not ${text}`);
  } else if (text !== text.toLowerCase()) {
    context.addIssue(`${quote(text)}: a registry host must be in lower case`);
  } else if (!isHostAndPort(text))
    context.addIssue(`${quote(text)} is not a registry host like ghcr.io or harbor.example.com:8443`);
});

/** A value for dockerd's `--insecure-registry`: host[:port] or a CIDR. */
export const insecureRegistry = z
  .string()
  .refine((text) => isHostAndPort(text) || z.cidrv4().safeParse(text).success || z.cidrv6().safeParse(text).success, {
    error: ({ input }) => `${quote(input)} is neither host[:port] nor a CIDR like 10.0.0.0/8`,
  });

const httpUrl = z.string().meta({ pattern: "^[hH][tT][tT][pP][sS]?://[^?#\\s]+$" });

/** The URL of a mirror, as dockerd accepts it: http or https, an optional path, nothing else. Errors omit credentials. */
export const mirrorUrl = httpUrl.superRefine((text, context) => {
  const match = /^([a-z]+):\/\/([^/?#\s]*)(\/[^\s]*)?$/i.exec(text);
  const [, scheme = "", authority = "", path = ""] = match ?? [];
  if (authority.includes("@")) return context.addIssue("a mirror's URL must not contain credentials");
  if (!match) return context.addIssue(`${quote(text)} is not a URL like http://registry-cache:5000`);
  if (!["http", "https"].includes(scheme.toLowerCase()))
    return context.addIssue(`${quote(text)} does not start with http:// or https://`);
  if (/[?#]/.test(path)) return context.addIssue(`${quote(text)}: a mirror's URL must have no query and no fragment`);
  if (!isHostAndPort(authority)) return context.addIssue(`${quote(authority)} is not a host[:port]`);
  // A `$` is not allowed, because the kubelet could expand it as a variable.
  if (/[^\w\-./~%:+]|%(?![0-9a-f]{2})/i.test(path))
    return context.addIssue(`${quote(path)} contains a character that must be percent-encoded`);
});

/** An IPv4 network like `10.10.0.0/16` that Docker can divide into subnets: /8 to /30. */
export const network = z
  .cidrv4({ error: ({ input }) => `${quote(input)} is not an IPv4 network like 10.10.0.0/16` })
  .superRefine((text, context) => {
    if (!isUsable(text)) context.addIssue(`${quote(text)} is not a network that containers can use`);
  });

/** dockerd's `--bip`: the bridge's own address with its prefix length, `10.10.0.1/24`. */
export const bridgeAddress = z
  .cidrv4({ error: ({ input }) => `${quote(input)} is not an address with a prefix length, like 10.10.0.1/24` })
  .superRefine((text, context) => {
    const { host, size } = addressParts(text);
    if (!isUsable(text)) context.addIssue(`${quote(text)} is not in a network that containers can use`);
    else if (host === 0)
      context.addIssue(`${quote(text)} is a network address; use the bridge's own address, like 10.10.0.1/24`);
    else if (host === 2 ** (32 - size) - 1) context.addIssue(`${quote(text)} is the network's broadcast address`);
  });

function isUsable(cidr: string): boolean {
  const { first, size } = addressParts(cidr);
  return size >= 8 && size <= 30 && first !== 0 && first !== 127 && first < 224;
}

/** `first`: first byte of the address. `host`: host part of the address as a number. `size`: prefix length. */
function addressParts(cidr: string): { first: number; host: number; size: number } {
  const [address = "", length = "32"] = cidr.split("/");
  const bytes = address.split(".").map(Number);
  const size = Number(length);
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return { first: bytes[0] ?? 0, host: value % 2 ** (32 - size), size };
}

/** Formats a value for an error message. */
export function quote(value: unknown): string {
  return JSON.stringify(value);
}
