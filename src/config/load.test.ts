import { expect, test } from "vitest";
import { examplePem } from "../../test/support/pods.ts";
import { ConfigError, defaultConfig, parseConfig } from "./load.ts";

const head = "apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\n";

function problems(text: string): readonly string[] {
  try {
    parseConfig(text, "c.yaml");
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** The problems of a default profile, written in flow style, without file and line. */
function profileProblems(profile: string): string[] {
  return problems(`${head}profiles: { default: ${profile} }`).map((line) =>
    line.replace(/^c\.yaml:\d+ (profiles\.)?/, ""),
  );
}

test("without a file, the built-in default profile is used", () => {
  expect(defaultConfig.mode).toBe("enforce");
  expect(defaultConfig.profiles["default"]?.docker.wait).toEqual({
    enabled: true,
    timeout: 120_000,
    interval: 50,
    exitCode: 42,
    onTimeout: "fail",
    keepStartupProbe: false,
  });
});

test("an empty configuration equals the built-in one", () => {
  expect(parseConfig(head, "c.yaml")).toEqual(defaultConfig);
});

test("the configuration is deeply frozen", () => {
  expect(() => Object.assign(defaultConfig.profiles["default"]!.docker.wait, { exitCode: 1 })).toThrow(TypeError);
});

test("a profile inherits from its base: maps are merged, lists and scalars replace those of the base", () => {
  const config = parseConfig(
    `${head}
profiles:
  default:
    docker: { wait: { timeout: 90s, exitCode: 9 }, daemon: { mtu: 1400, extraArgs: [--debug] } }
    registries: { docker.io: { mirrors: [{ url: "http://a" }, { url: "http://b" }] } }
  child:
    extends: default
    docker: { wait: { timeout: 30s }, daemon: { extraArgs: [--ipv6] } }
    registries: { docker.io: { mirrors: [{ url: "http://c" }] }, ghcr.io: { mirrors: [{ url: "http://d" }] } }
  grandchild:
    extends: child
    enabled: false
  alone: {}
`,
    "c.yaml",
  );
  const { child, grandchild, alone } = config.profiles;
  expect(child).toMatchObject({
    name: "child",
    docker: { wait: { timeout: 30_000, exitCode: 9 }, daemon: { mtu: 1400, extraArgs: ["--ipv6"] } },
  });
  expect(child?.registries["docker.io"]?.mirrors.map(({ url }) => url)).toEqual(["http://c"]);
  expect(Object.keys(child?.registries ?? {})).toEqual(["docker.io", "ghcr.io"]);
  expect(grandchild).toEqual({ ...child, name: "grandchild", enabled: false });
  expect(alone?.docker.wait.timeout).toBe(120_000);
});

test("all problems are reported, with line and path", () => {
  const text = `${head}
mode: enforced
profiles:
  default:
    docker:
      wait: { timeout: soon, exitCode: 7 }
      wiat: {}
rules:
  - { namespaces: ["ML"], profile: default }
extra: 1
`;
  expect(problems(text)).toEqual([
    'c.yaml:4 mode: expected one of enforce, audit, not "enforced"; did you mean enforce?',
    'c.yaml:8 profiles.default.docker.wait.timeout: "soon" is not a duration like 120s, 50ms or 2m',
    "c.yaml:8 profiles.default.docker.wait.exitCode: must not be 7, which ARC interprets as an outdated runner",
    "c.yaml:9 profiles.default.docker.wiat: unknown setting; did you mean wait?",
    'c.yaml:11 rules[0].namespaces[0]: "ML" is not a valid name or pattern like ml-*',
    "c.yaml:12 extra: unknown setting; known settings: apiVersion, kind, mode, profiles, rules",
  ]);
});

test("problems are sorted by line, which is the line of the key and not of its value", () => {
  const text = `${head}
rules:
  - profile: gone
profiles:
  default:
    dokcer:
      # what it holds
      inject: true
    docker:
      inject: "yes"
`;
  expect(problems(text)).toEqual([
    "c.yaml:5 rules[0].profile: profile gone is not defined; defined profiles: default",
    "c.yaml:8 profiles.default.dokcer: unknown setting; did you mean docker?",
    'c.yaml:12 profiles.default.docker.inject: expected true or false, not "yes"',
  ]);
});

test("for a setting in the wrong place, the error suggests the right place", () => {
  expect(problems(`${head}docker: { inject: true }\nprofiles: { ci: { timeout: 3s, bip: 10.0.0.1/8 } }`)).toEqual([
    "c.yaml:3 docker: unknown setting; did you mean profiles.default.docker?",
    expect.stringMatching(/^c\.yaml:4 profiles\.ci\.timeout: unknown setting; known settings: extends, /),
    "c.yaml:4 profiles.ci.bip: unknown setting; did you mean profiles.ci.docker.daemon.bip?",
  ]);
});

test("undefined profiles are errors, and so are cycles of extends", () => {
  const text = `${head}
profiles: { a: { extends: b }, b: { extends: a }, c: { extends: nope } }
rules: [{ profile: gone, allowedProfiles: [a, lost] }]
`;
  expect(problems(text)).toEqual([
    "c.yaml:4 profiles.a.extends: the profile extends itself",
    "c.yaml:4 profiles.b.extends: the profile extends itself",
    "c.yaml:4 profiles.c.extends: profile nope is not defined; defined profiles: default, a, b, c",
    "c.yaml:5 rules[0].profile: profile gone is not defined; defined profiles: default, a, b, c",
    "c.yaml:5 rules[0].allowedProfiles[1]: profile lost is not defined; defined profiles: default, a, b, c",
  ]);
});

test("undefined profiles are reported together with other errors", () => {
  const text = `${head}
profiles: { a: { extends: nope, mtu: 1 } }
rules: [{ profile: gone, what: 1 }, 7]
`;
  expect(problems(text).map((line) => line.split(" ").slice(1).join(" "))).toEqual([
    "profiles.a.extends: profile nope is not defined; defined profiles: default, a",
    "profiles.a.mtu: unknown setting; did you mean profiles.a.docker.daemon.mtu?",
    "rules[0].profile: profile gone is not defined; defined profiles: default, a",
    "rules[0].what: unknown setting; known settings: namespaces, scaleSets, profile, allowedProfiles",
    "rules[1]: expected a map, not 7",
  ]);
});

test("errors that only result from a merge are reported", () => {
  const text = `${head}
profiles:
  default: { docker: { daemon: { resources: { limits: { memory: 1Gi } } } } }
  big: { extends: default, docker: { daemon: { resources: { requests: { memory: 2Gi } } } } }
`;
  expect(problems(text)).toEqual([
    "c.yaml:6 profiles.big.docker.daemon.resources.requests.memory: the request 2Gi is greater than the limit 1Gi",
  ]);
});

test.each([
  ["", "the configuration is empty"],
  ["[]", "expected a map, not a list"],
  ["a: b: c", "Nested mappings are not allowed in compact mappings"],
  [`${head}mode: audit\nmode: enforce`, "duplicate key"],
  [`${head.replace("v1alpha1", "v9")}`, 'apiVersion: expected arc-primer.dev/v1alpha1, not "arc-primer.dev/v9"'],
  [`${head}profiles: { default: null }`, "profiles.default: has no value: expected a map"],
  [`${head}profiles: { Big: {} }`, "profiles.Big: a profile name may contain only lower-case letters, digits, - and ."],
])("%j is rejected: %s", (text, message) => {
  expect(problems(text).join("\n")).toContain(message);
});

test.each([
  [
    "{ registries: { docker.io: { mirrors: [{ url: 'ftp://x' }] } } }",
    '"ftp://x" does not start with http:// or https://',
  ],
  ["{ registries: { docker.io: { mirrors: [{ url: 'registry:5000' }] } } }", "is not a URL like"],
  ["{ registries: { docker.io: { mirrors: [{ url: 'http://x?y=1' }] } } }", "is not a"],
  ["{ registries: { docker.io: { mirrors: [{ url: 'http://x/y?z' }] } } }", "no query and no fragment"],
  ["{ registries: { docker.io: { mirrors: [{ url: 'http://x:99999' }] } } }", '"x:99999" is not a host[:port]'],
  ["{ registries: { docker.io: { mirrors: [{ url: 'http://$(NODE):1' }] } } }", "is not a host[:port]"],
  ["{ registries: { docker.io: { mirrors: [{ url: 'http://x/$(HOME)' }] } } }", "must be percent-encoded"],
  ["{ prerequisites: { packages: ['curl; rm -rf /'] } }", '"curl; rm -rf /" is not a package like curl'],
  ["{ prerequisites: { packages: [--force] } }", "is not a package like curl"],
  ["{ prerequisites: { packages: [curl-] } }", "is not a package like curl"],
  ["{ prerequisites: { packages: ['curl:all-'] } }", "is not a package like curl"],
  ["{ prerequisites: { packages: [curl=1-] } }", "is not a package like curl"],
  [`{ prerequisites: { script: ${"é".repeat(62_000)} } }`, "prerequisites.script: must not be larger than 120 KiB"],
  [
    `{ prerequisites: { script: ${"a".repeat(100_000)}, apt: { mirrors: { ${Array.from({ length: 10 }, (_, index) => `'http://x/${index}': 'http://y/${"z".repeat(45_000)}'`).join(", ")} } } } }`,
    "prerequisites: must not be larger than 512 KiB in total",
  ],
  ["{ prerequisites: { packages: [curl, curl=1] } }", "prerequisites.packages: duplicate package"],
  ["{ prerequisites: { packages: ['git=1 2'] } }", "is not a package like curl"],
  ["{ prerequisites: { apt: { proxy: 'http://me:secret@x' } } }", "must not contain credentials"],
  [
    "{ prerequisites: { apt: { proxy: 'http://$(HOST_IP):3142' } } }",
    "$(HOST_IP) is allowed only for registry mirrors",
  ],
  ["{ prerequisites: { apt: { mirrors: { 'http://x y': 'http://z' } } } }", "is not a"],
  ["{ prerequisites: { apt: { sources: [{ url: 'http://x', suites: [a] }] } } }", "components are missing"],
  ["{ prerequisites: { apt: { sources: [{ url: 'http://x', suites: [./], components: [b] }] } } }", "ends in /"],
  ["{ prerequisites: { apt: { sources: [{ url: 'http://x', suites: [./] }] } } }", "either signedBy"],
  ["{ prerequisites: { apt: { sources: [{ url: 'http://x', suites: [./], signedBy: abc }] } } }", "ASCII-armoured"],
  [
    "{ prerequisites: { apt: { sources: [{ url: 'http://x', suites: ['a b'], components: [c] }] } } }",
    "neither a suite",
  ],
  ["{ prerequisites: { timeout: 1s } }", "outside the range 10s to 1h"],
  ["{ prerequisites: { sizeLimit: 1Mi } }", "must be at least 64Mi"],
  ["{ prerequisites: { script: '' } }", "prerequisites.script"],
  ["{ prerequisites: { onFailure: ignore } }", "prerequisites.onFailure"],
  ["{ registries: { 'index.docker.io': {} } }", "use docker.io for Docker Hub"],
  ["{ registries: { 'http://ghcr.io': {} } }", "is not a registry host like"],
  ["{ docker: { mirror: { insecureRegistries: ['10.0.0.0/99'] } } }", "neither host[:port] nor a CIDR"],
  ["{ docker: { daemon: { bip: 172.26.0.0/16 } } }", '"172.26.0.0/16" is a network address'],
  ["{ docker: { daemon: { bip: 172.26.0.1 } } }", "is not an address with a prefix length"],
  ["{ docker: { daemon: { mtu: 9 } } }", "docker.daemon.mtu: expected at least 576, not 9"],
  [
    "{ docker: { daemon: { addressPools: [{ base: 10.0.0.0/16, size: 8 }] } } }",
    "a network cannot be larger than its pool",
  ],
  ["{ docker: { daemon: { extraArgs: ['--mtu=1400'] } } }", "--mtu is not allowed here: use docker.daemon.mtu"],
  [
    "{ docker: { daemon: { extraArgs: ['--dns 1.1.1.1 -D', debug] } } }",
    "is not a flag in the form --name or --name=value",
  ],
  ["{ docker: { daemon: { image: 'Docker:dind ' } } }", "is not an image reference"],
  ["{ docker: { daemon: { env: { 1A: x } } } }", "is not a valid name for an environment variable"],
  ["{ docker: { daemon: { env: { A: 1 } } } }", "docker.daemon.env.A: expected a string"],
  ["{ docker: { daemon: { resources: { limits: { cpu: lots } } } } }", '"lots" is not a quantity'],
  ["{ docker: { daemon: { resources: { limits: { gpu: 1 } } } } }", "resources.limits.gpu: unknown setting"],
  ["{ docker: { container: Docker_1 } }", '"Docker_1" is not a valid container name'],
  ["{ runner: { container: '' } }", "is not a valid container name"],
  ["{ docker: { inject: please } }", "docker.inject"],
  ["{ docker: { injected: { layout: pod } } }", "docker.injected.layout"],
  ["{ docker: { credentials: { secret: My_Secret } } }", '"My_Secret" is not a valid name for a Kubernetes object'],
  ["{ docker: { credentials: { secret: a..b } } }", '"a..b" is not a valid name for a Kubernetes object'],
  ["{ docker: { credentials: { password: x } } }", "docker.credentials.password: unknown setting"],
  ["{ docker: { gracefulEnd: { gracePeriod: 25h } } }", "outside the range 1s to 24h"],
  ["{ docker: { data: { emptyDir: { sizeLimit: 10Mi } } } }", "must be at least 1Gi"],
  ["{ docker: { data: { emptyDir: { medium: Memory } } } }", "emptyDir.sizeLimit: must be set for medium Memory"],
  [
    "{ docker: { data: { emptyDir: {}, ephemeral: { size: 9Gi } } } }",
    "ephemeral: set either emptyDir or ephemeral, not both",
  ],
  ["{ docker: { data: { persistentVolumeClaim: { claimName: a } } } }", "persistentVolumeClaim: unknown setting"],
  ["{ docker: { data: { nfs: { server: a } } } }", "data.nfs: unknown setting"],
  ["{ runner: { finishJob: { gracePeriod: 6d } } }", "outside the range 1m to 5d"],
  [
    "{ runner: { finishJob: { gracePeriod: 10m, reserve: 10m } } }",
    "finishJob.reserve: must be shorter than gracePeriod",
  ],
  ["{ docker: { gracefulEnd: { gracePeriod: 1500ms } } }", "not a whole number of seconds"],
  ["{ docker: { wait: { timeout: 1500ms } } }", "not a whole number of seconds"],
  ["{ docker: { wait: { timeout: 2h } } }", "outside the range 1s to 1h"],
  ["{ docker: { wait: { interval: 1ms } } }", "outside the range 10ms to 10s"],
  ["{ docker: { wait: { exitCode: 0 } } }", "docker.wait.exitCode: expected at least 1, not 0"],
  ["{ docker: { daemon: { bip: 127.0.0.1/8 } } }", "not in a network that containers can use"],
  ["{ docker: { daemon: { bip: 172.26.255.255/16 } } }", "broadcast address"],
  [
    "{ docker: { daemon: { addressPools: [{ base: 0.0.0.0/0, size: 24 }] } } }",
    "not a network that containers can use",
  ],
  [
    "{ docker: { daemon: { extraArgs: ['--version', '--debug', '--debug'] } } }",
    "--version is not allowed here: dockerd would exit immediately",
  ],
  ["{ docker: { daemon: { image: 'docker..x:dind' } } }", "is not an image reference"],
  ["{ docker: { daemon: { env: { '..': x } } } }", "is not a valid name for an environment variable"],
  ["{ docker: { daemon: { env: { A: 1 } } } }", "put it in quotes"],
  ["{ registries: { Docker.IO: {} } }", "lower case"],
  ["{ registries: { docker.io: { mirrors: [{ url: 'http://x/%zz' }] } } }", "must be percent-encoded"],
  ["{ runner: { command: [''] } }", "the first item must be the program to run"],
  ["{ runner: { command: [] } }", "runner.command: must have at least one item"],
])("%s is rejected: %s", (profile, message) => {
  expect(profileProblems(profile).join("\n")).toContain(message);
});

test("a mirror URL with credentials is rejected, and the error does not repeat them", () => {
  const [problem, ...others] = profileProblems(
    "{ registries: { docker.io: { mirrors: [{ url: 'https://me:hunter2@mirror.example.com' }] } } }",
  );
  expect(problem).toContain(
    'default.registries["docker.io"].mirrors[0].url: a mirror\'s URL must not contain credentials',
  );
  expect(problem).not.toContain("hunter2");
  expect(others).toEqual([]);
});

test.each([
  "{ registries: { docker.io: { mirrors: [{ url: 'https://[2001:db8::1]:5000/hub' }] } } }",
  "{ registries: { docker.io: { mirrors: [{ url: 'http://$(HOST_IP):30500' }] } } }",
  "{ registries: { harbor.example.com:8443: { mirrors: [{ url: 'https://a.b/c', insecure: true }] } } }",
  "{ docker: { mirror: { insecureRegistries: [10.0.0.0/8, 'registry:5000', 'fd00::/8', localhost] } } }",
  "{ docker: { daemon: { bip: 10.0.0.1/8, extraArgs: [--debug, '--host=tcp://$(POD_IP):2375'] } } }",
  "{ docker: { daemon: { image: 'harbor.example.com:8443/hub/docker:29.1-dind@sha256:" + "a".repeat(64) + "' } } }",
  "{ docker: { daemon: { resources: { requests: { cpu: 0.5, memory: 1e9 }, limits: { cpu: 1, memory: 2Gi } } } } }",
  "{ registries: { docker.io: { mirrors: [{ url: 'http://[$(HOST_IP)]:30500' }] } } }",
  "{ docker: { wait: { timeout: 1m30s } } }",
  "{ docker: { inject: true, injected: { layout: container, rootless: true } } }",
  "{ docker: { credentials: { secret: registry.logins-1 }, gracefulEnd: { gracePeriod: 1h } } }",
])("%s is accepted", (profile) => {
  expect(profileProblems(profile)).toEqual([]);
});

// In the format of `openssl genrsa -aes128 -traditional`.
const encryptedKey = `-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF

c2VjcmV0
-----END RSA PRIVATE KEY-----
`;

const pem = (text: string) => `{ privateCA: { pem: ${JSON.stringify(text)} } }`;

test.each([
  [
    "{ registries: { ghcr.io: { privateCA: true } } }",
    'registries["ghcr.io"].privateCA: the profile has no private CA',
  ],
  [
    "{ registries: { ghcr.io: { mirrors: [{ url: 'https://a', privateCA: true }] } } }",
    'registries["ghcr.io"].mirrors[0].privateCA: the profile has no private CA',
  ],
  ["{ registries: { docker.io: { insecure: true } } }", "insecure cannot be set for Docker Hub"],
  ["{ privateCA: { runner: true } }", "privateCA: set exactly one of pem, configMap and secret"],
  [
    "{ privateCA: { configMap: { name: a }, secret: { name: b } } }",
    "privateCA: set exactly one of pem, configMap and secret",
  ],
  ["{ privateCA: { configMap: { name: Upper } } }", "is not a valid name for a Kubernetes object"],
  ["{ privateCA: { secret: { name: a, key: ../b } } }", "is not a valid key of a ConfigMap or Secret"],
  ["{ runner: { home: home/runner } }", "is not a valid directory path like /home/runner"],
  ["{ runner: { home: '/a:b' } }", "is not a valid directory path like /home/runner"],
  ["{ docker: { imageStore: overlay2 } }", 'docker.imageStore: expected one of auto, containerd, not "overlay2"'],
  [pem("nothing"), "contains no certificate"],
  [pem(examplePem.replace("MIIB", "AAAA")), "certificate 1 of 1 cannot be parsed"],
  [pem(`${examplePem}-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----`), "not a PRIVATE KEY"],
  [pem(examplePem + encryptedKey), "not a RSA PRIVATE KEY"],
  [pem(encryptedKey + examplePem), "not a RSA PRIVATE KEY"],
  [pem(`${examplePem}-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n`), "not a PRIVATE KEY"],
  [pem(`${examplePem}c2VjcmV0\n-----END PRIVATE KEY-----\n`), "not a PRIVATE KEY"],
  [pem(`${examplePem}-----BEGIN c2VjcmV0`), "not a PEM block of another type"],
  [pem(`${examplePem}-----BEGIN CERTIFICATE-----\nc2VjcmV0\n`), "a certificate is incomplete"],
  [
    pem(`-----BEGIN CERTIFICATE-----\n${encryptedKey}-----END CERTIFICATE-----\n${examplePem}`),
    "a certificate is incomplete",
  ],
])("registries and certificates: %s is rejected: %s", (profile, message) => {
  const found = profileProblems(profile).join("\n");
  expect(found).toContain(message);
  expect(found).not.toContain("c2VjcmV0");
});

test("text around the certificates of a PEM bundle is accepted", () => {
  expect(profileProblems(pem(`# Example Root\n=====\n${examplePem}\n- and another -\n${examplePem}`))).toEqual([]);
});

test("certificates can come from the base profile", () => {
  const { profiles } = parseConfig(
    `${head}
profiles:
  default: { privateCA: { configMap: { name: corporate-ca } } }
  more: { extends: default, registries: { ghcr.io: { privateCA: true } }, privateCA: { runner: true } }
`,
    "c.yaml",
  );
  expect(profiles["more"]?.privateCA).toEqual({ configMap: { name: "corporate-ca", key: "ca.crt" }, runner: true });
});

test("files that do not fit into a pod's annotations are rejected, and the error suggests a ConfigMap", () => {
  const [problem, ...others] = profileProblems(pem(examplePem.repeat(500)));
  expect(problem).toMatch(
    /privateCA\.pem: the files for this need \d{6} bytes .* put the certificates into a ConfigMap/,
  );
  expect(others).toEqual([]);
  expect(profileProblems(pem(examplePem.repeat(300)))).toEqual([]);
});
