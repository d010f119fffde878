import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { clusterCache } from "../../support/tools.ts";
import { apply, call, createNamespace, until } from "./kube.ts";
import type { Resource } from "./kube.ts";
import { kubectlPrints } from "./release.ts";

// Runs cert-manager as processes on this machine: its controller and its CA injector. Its webhook also runs if the API server can
// reach this machine's loopback address.

const program = join(clusterCache, "bin/cert-manager");
const namespace = "cert-manager";
const port = 16_260;

/** The arguments of kubectl that select cert-manager's CustomResourceDefinitions. */
function definitions(): string[] {
  const files = readdirSync(join(clusterCache, "api")).filter((file) => file.startsWith("cert-manager.io_"));
  return files.flatMap((file) => ["-f", join(clusterCache, "api", file)]);
}

/** Starts cert-manager, unless the cluster has it already. The returned function removes it. */
export async function startCertManager(): Promise<() => Promise<void>> {
  if ((await call("GET", "/apis/cert-manager.io/v1")).status === 200) return async () => {};
  if (!existsSync(program)) throw new Error(`${program} is missing: test/cluster/bare/build.sh cert-manager builds it`);
  const files = definitions();
  kubectlPrints(["apply", "--server-side", ...files]);
  kubectlPrints(["wait", "--for=condition=Established", "--timeout=30s", ...files]);
  await createNamespace(namespace, {});

  let log = "";
  const start = (...args: string[]) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const output of [child.stdout, child.stderr]) output.on("data", (text: Buffer) => (log += text.toString()));
    return child;
  };
  const children = [start("controller"), start("injector")];
  const hasWebhook = process.env["CLUSTER_PROVIDER"] === "bare";
  if (hasWebhook) {
    const secret = "cert-manager-webhook-ca";
    children.push(
      start(
        "webhook",
        `--secure-port=${port}`,
        "--healthz-port=16261",
        "--metrics-listen-address=0",
        `--dynamic-serving-ca-secret-namespace=${namespace}`,
        `--dynamic-serving-ca-secret-name=${secret}`,
        "--dynamic-serving-dns-names=localhost",
      ),
    );
    await register(secret);
  }
  const stop = async () => {
    if (hasWebhook) {
      for (const kind of ["mutating", "validating"])
        await call("DELETE", `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/cert-manager-webhook`);
    }
    kubectlPrints(["delete", "--ignore-not-found", ...files]);
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null) return;
        const end = new Promise((resolve) => child.once("exit", resolve));
        child.kill();
        await end;
      }),
    );
  };
  try {
    if (hasWebhook) await until("cert-manager's webhook with its certificate", 60, isServing);
  } catch (error) {
    await stop();
    throw new Error(`cert-manager's log:\n${log.slice(-4000)}`, { cause: error });
  }
  return stop;
}

/** Creates the webhook configurations with this machine's address. cert-manager's CA injector sets the caBundle. */
async function register(secret: string): Promise<void> {
  const common = {
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    failurePolicy: "Fail",
    matchPolicy: "Equivalent",
    timeoutSeconds: 30,
  };
  const metadata = {
    name: "cert-manager-webhook",
    annotations: { "cert-manager.io/inject-ca-from-secret": `${namespace}/${secret}` },
  };
  const rule = { apiGroups: ["cert-manager.io"], apiVersions: ["v1"] };
  const entry = (path: string, operations: string[], resources: string[]) => ({
    ...common,
    name: "webhook.cert-manager.io",
    rules: [{ ...rule, operations, resources }],
    clientConfig: { url: `https://localhost:${port}${path}` },
  });
  const apiVersion = "admissionregistration.k8s.io/v1";
  await apply({
    apiVersion,
    kind: "MutatingWebhookConfiguration",
    metadata,
    webhooks: [entry("/mutate", ["CREATE"], ["certificaterequests"])],
  });
  await apply({
    apiVersion,
    kind: "ValidatingWebhookConfiguration",
    metadata,
    webhooks: [entry("/validate", ["CREATE", "UPDATE"], ["*/*"])],
  });
}

/** Whether a dry run of an Issuer succeeds, for which the API server must call cert-manager's webhook. Throws if not. */
async function isServing(): Promise<boolean> {
  const path = `/apis/cert-manager.io/v1/namespaces/${namespace}/issuers?dryRun=All`;
  const issuer = {
    apiVersion: "cert-manager.io/v1",
    kind: "Issuer",
    metadata: { name: "try" },
    spec: { selfSigned: {} },
  };
  const { status, body } = await call("POST", path, issuer);
  if (status !== 201) throw new Error(JSON.stringify(body));
  return true;
}

/** Renews a certificate, as `cmctl renew` does, and waits for the next revision. */
export async function renew(where: string, name: string): Promise<void> {
  const path = `/apis/cert-manager.io/v1/namespaces/${where}/certificates/${name}`;
  interface Certificate extends Resource {
    status: { revision: number; conditions: object[] };
  }
  const { status } = (await call<Certificate>("GET", path)).body;
  const issuing = { type: "Issuing", status: "True", reason: "ManuallyTriggered", message: "by a test" };
  const conditions = [...status.conditions, { ...issuing, lastTransitionTime: new Date().toISOString() }];
  const { status: code, body } = await call(
    "PATCH",
    `${path}/status`,
    { status: { conditions } },
    "application/merge-patch+json",
  );
  if (code !== 200) throw new Error(JSON.stringify(body));
  await until(`the next revision of ${name}`, 30, async () => {
    const { body: now } = await call<Certificate>("GET", path);
    return now.status.revision > status.revision;
  });
}
