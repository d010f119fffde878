import { afterAll, beforeAll, expect, test } from "vitest";
import { createNamespace, logs } from "./support/kube.ts";
import { packageSource } from "./support/packages.ts";
import type { PackageSource } from "./support/packages.ts";
import { containerNamed, ended, runnerPod, slimImage } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import { installWebhook, pullImages, refuseIfInstalled, servingCertificate, uninstall } from "./support/stack.ts";

// Packages from a private repository, in pods without internet access. This process serves the repository and sees all
// requests.

const lacking = "curl";
const slim = (pod: RunnerPod) => (containerNamed(pod, "runner").image = slimImage);
let source: PackageSource;
let installing = false;

beforeAll(async () => {
  await refuseIfInstalled();
  installing = true;
  await pullImages();
  source = await packageSource(lacking);
  const { apt } = source;
  const configuration = {
    apiVersion: "arc-primer.dev/v1alpha1",
    kind: "PrimerConfiguration",
    profiles: {
      default: { prerequisites: { packages: [lacking], apt } },
      nothing: { prerequisites: { packages: ["bash", "sudo"], apt } },
    },
    rules: [{ profile: "default", allowedProfiles: ["nothing"] }],
  };
  await installWebhook(JSON.stringify(configuration), await servingCertificate());
  await createNamespace("packages");
}, 900_000);
afterAll(async () => {
  if (!installing) return;
  source?.close();
  await uninstall();
});

const installLog = async ({ metadata }: RunnerPod) =>
  logs(metadata.namespace ?? "", metadata.name, "arc-primer-prerequisites");

test("a package is installed from the repository in the profile", async () => {
  const pod = await runnerPod("own", "packages", `${lacking} --version`, {
    layout: "default-mode",
    change: slim,
  });
  const { exitCode, log } = await ended(pod);
  expect(log).toMatch(/packages installed in \d+\.\d\d s\n[^]*curl /);
  expect(exitCode).toBe(0);
  expect(source.requests).toContainEqual(expect.stringMatching(/^curl_.*\.deb$/));
});

test("if no package is missing, apt sends no requests", async () => {
  const before = source.requests.length;
  const pod = await runnerPod("nothing", "packages", "echo run.sh", {
    layout: "default-mode",
    change(changed) {
      slim(changed);
      changed.metadata.annotations = { "arc-primer.dev/profile": "nothing" };
    },
  });
  expect((await ended(pod)).log).toBe("run.sh\n");
  expect(await installLog(pod)).toMatch(/all packages are already installed; checked in \d+\.\d\d s\n$/);
  expect(source.requests.length).toBe(before);
});
