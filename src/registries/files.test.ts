import { expect, test } from "vitest";
import { parse } from "yaml";
import { allRegistries, examplePem, profileWith } from "../../test/support/pods.ts";
import type { PodFile } from "../pod/files.ts";
import { buildkitRegistries } from "./buildkit.ts";
import { endpointOf } from "./endpoint.ts";
import { annotationBytes, buildkitFiles, daggerFiles, dockerdFiles } from "./files.ts";

const texts = (files: readonly PodFile[]) =>
  Object.fromEntries(files.map(({ path, source }) => [path, "text" in source ? source.text : source]));

const dockerd = (profile: object) => {
  const { hosts, certificates, leftOut } = dockerdFiles(profileWith(profile));
  return { ...texts([...hosts, ...certificates]), leftOut };
};

test.each([
  ["http://cache:5000", "http", "cache:5000", "", ""],
  ["https://cache.example.com/", "https", "cache.example.com", "", ""],
  ["https://nexus.example.com/repository/hub", "https", "nexus.example.com", "/repository/hub", ""],
  ["https://harbor.example.com/v2/hub", "https", "harbor.example.com", "", "/hub"],
  ["https://harbor.example.com/v2", "https", "harbor.example.com", "", ""],
  ["https://x.example.com/a/v2/b/", "https", "x.example.com", "/a", "/b"],
  ["https://x.example.com/docker-v2/hub", "https", "x.example.com", "/docker-v2/hub", ""],
  ["HTTP://[2001:db8::1]:5000/v2/a", "http", "[2001:db8::1]:5000", "", "/a"],
])("%s is split at /v2", (url, scheme, host, before, after) => {
  expect(endpointOf(url)).toEqual({ scheme, host, pathPrefix: before, pathSuffix: after });
});

test("hosts.toml: lists the mirrors in order, each with the root of its API", () => {
  const mirrors = [{ url: "http://cache:5000/v2/ghcr" }, { url: "https://nexus.example.com/repository/ghcr" }];
  expect(dockerd({ registries: { "ghcr.io": { mirrors } } })).toEqual({
    "ghcr.io/hosts.toml": `[host."http://cache:5000/v2/ghcr"]
  capabilities = ["pull", "resolve"]
  override_path = true

[host."https://nexus.example.com/repository/ghcr/v2"]
  capabilities = ["pull", "resolve"]
  override_path = true
`,
    leftOut: false,
  });
});

test("hosts.toml: skip_verify and private CAs, for mirrors and for the registry itself", () => {
  const mirrors = [
    { url: "https://a.example.com", insecure: true },
    { url: "https://b.example.com", privateCA: true },
  ];
  const registries = { "harbor.example.com:8443": { privateCA: true, mirrors } };
  expect(dockerd({ registries, privateCA: { pem: examplePem } })).toEqual({
    "harbor.example.com:8443/hosts.toml": `ca = "ca.crt"

[host."https://a.example.com/v2"]
  capabilities = ["pull", "resolve"]
  override_path = true
  skip_verify = true

[host."https://b.example.com/v2"]
  capabilities = ["pull", "resolve"]
  override_path = true
  ca = "ca.crt"
`,
    "harbor.example.com:8443/ca.crt": examplePem,
    "b.example.com/ca.crt": examplePem,
    leftOut: false,
  });
});

test("a plain HTTP mirror has no certificate settings, or containerd would try HTTPS first", () => {
  const mirrors = [{ url: "http://cache:5000", insecure: true, privateCA: true }];
  const files = dockerd({ registries: { "ghcr.io": { mirrors } }, privateCA: { pem: examplePem } });
  expect(files).toMatchObject({ "ghcr.io/hosts.toml": expect.not.stringMatching(/skip_verify|ca =/) });
});

test("Docker Hub is configured by flags, unless a mirror cannot be expressed as a flag", () => {
  const hub = (...mirrors: object[]) =>
    Object.keys(dockerd({ registries: { "docker.io": { mirrors } }, privateCA: { pem: examplePem } }));
  expect(hub({ url: "http://cache:5000" }, { url: "https://nexus.example.com/hub", insecure: true })).toEqual([
    "leftOut",
  ]);
  expect(hub({ url: "https://harbor.example.com/v2/hub" })).toContain("docker.io/hosts.toml");
  expect(hub({ url: "https://cache.example.com", privateCA: true }).toSorted()).toEqual([
    "cache.example.com/ca.crt",
    "docker.io/ca.crt",
    "docker.io/hosts.toml",
    "leftOut",
  ]);
});

test("mirrors at the node's IP address are left out of files", () => {
  const mirrors = [{ url: "http://$(HOST_IP):5000" }];
  expect(dockerd({ registries: { "ghcr.io": { mirrors } } })).toEqual({ leftOut: true });
  expect(dockerd({ registries: { "docker.io": { mirrors } } })).toEqual({ leftOut: false });
});

test("buildkitd.default.toml: mirrors without a scheme, and the protocol settings of each host", () => {
  const profile = profileWith(allRegistries);
  const { entries, leftOut } = buildkitRegistries(profile.registries);
  const files = buildkitFiles(profile, entries, "/home/runner/ca.pem");
  expect(leftOut).toBe(true); // the mirror with a path before /v2
  expect(texts(files)).toEqual({
    "buildkitd.default.toml": `[registry."docker.io"]
  mirrors = ["registry-cache:5000"]

[registry."registry-cache:5000"]
  http = true

[registry."ghcr.io"]
  mirrors = ["harbor.example.com:8443/ghcr"]

[registry."harbor.example.com:8443"]
  ca = ["/home/runner/ca.pem"]

[registry."registry.ci:5000"]
  http = true
  insecure = true
`,
    "ca.crt": examplePem,
  });
});

test("engine.json has the same entries, without certificates, which are in a separate directory", () => {
  const files = texts(daggerFiles(profileWith(allRegistries)).files);
  expect(parse(String(files["engine.json"]))).toEqual({
    registries: {
      "docker.io": { mirrors: ["registry-cache:5000"] },
      "registry-cache:5000": { http: true },
      "ghcr.io": { mirrors: ["harbor.example.com:8443/ghcr"] },
      "registry.ci:5000": { http: true, insecure: true },
    },
  });
  expect(files["ca-certificates/arc-primer.crt"]).toBe(examplePem);
});

test("a host that is both a registry and a mirror has one entry", () => {
  const registries = {
    "cache:5000": { insecure: true },
    "docker.io": { mirrors: [{ url: "https://cache:5000", privateCA: true }] },
  };
  const { entries } = buildkitRegistries(profileWith({ registries, privateCA: { pem: examplePem } }).registries);
  expect(entries.get("cache:5000")).toEqual({ http: true, insecure: true, privateCA: true });
});

test("certificates from a ConfigMap or Secret are referenced in every directory; inline ones are counted once", () => {
  const profile = { ...allRegistries, privateCA: { configMap: { name: "corporate-ca" } } };
  expect(dockerd(profile)["harbor.example.com:8443/ca.crt" as never]).toEqual({
    configMap: { name: "corporate-ca", key: "ca.crt" },
  });
  const byName = annotationBytes(profileWith(profile));
  const inline = annotationBytes(profileWith(allRegistries));
  expect(inline - byName).toBe(examplePem.length + "arc-primer.dev/ca".length);
});
