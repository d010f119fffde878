import { firstEntry, readyAddresses } from "../readings.ts";
import { check, counted, unreadable } from "./check.ts";

export const endpoints = check({
  name: "endpoints",
  group: "replicas",
  description: "The Service that the webhook configuration references, and whether it has ready endpoints.",
  problems: {
    "no-service": {
      status: "fail",
      means: "The API server calls a Service that does not exist, so every call fails.",
      do: "Run helm upgrade for the release. If the release was uninstalled, delete the MutatingWebhookConfiguration CONFIGURATION.",
    },
    "no-port": {
      status: "fail",
      means: "The API server calls a port that the Service does not have, so every call fails.",
      do: "Restore the Service and the webhook configuration: run helm upgrade with the same values.",
    },
    "none-ready": {
      status: "fail",
      means: "No replica receives calls. Runner pods are created unprimed or, with failurePolicy Fail, not at all.",
      do: "Run kubectl -n NAMESPACE get pods, then kubectl describe and kubectl logs for the pods that are not ready.",
    },
  },
  run({ release }) {
    if (!release) return [];
    const target = firstEntry(release.webhookConfiguration)?.clientConfig?.service;
    const { service, endpoints: slices } = release;
    if (!target || !service) return [{ ok: "the webhook configuration uses a URL, not a Service" }];
    const name = `the Service ${target.namespace}/${target.name}`;
    const names = { NAMESPACE: target.namespace, CONFIGURATION: release.webhookConfiguration.metadata.name };
    if ("missing" in service) return [{ problem: "no-service", what: `${name} does not exist`, names }];
    if (!("found" in service)) return [unreadable(name, service)];
    const { port = 443 } = target;
    if (!service.found.spec?.ports?.some((one) => one.port === port)) {
      return [{ problem: "no-port", what: `${name} has no port ${port}` }];
    }
    if (!slices || !("found" in slices)) return [unreadable("the EndpointSlices", slices ?? { failed: "not read" })];
    const ready = readyAddresses(slices.found);
    if (ready === 0) return [{ problem: "none-ready", what: `${name} has no ready endpoints`, names }];
    return [{ ok: `${name} has ${counted(ready, "ready endpoint")}` }];
  },
});
