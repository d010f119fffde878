import { afterAll, beforeAll } from "vitest";
import { createNamespace } from "./kube.ts";
import { installWebhook, pullImages, refuseIfInstalled, servingCertificate, uninstall } from "./stack.ts";

/**
 * Installs the webhook with these profiles and rules and creates this namespace, before the tests of a file. Removes both
 * afterwards.
 */
export function installWebhookForTests(settings: { profiles: object; rules?: object[] }, namespace: string): void {
  let installing = false;
  beforeAll(async () => {
    await refuseIfInstalled();
    installing = true;
    await pullImages();
    const configuration = { apiVersion: "arc-primer.dev/v1alpha1", kind: "PrimerConfiguration", ...settings };
    await installWebhook(JSON.stringify(configuration), await servingCertificate());
    await createNamespace(namespace);
  }, 900_000);
  afterAll(async () => {
    if (installing) await uninstall();
  });
}
