import { firstEntry, readyAddresses } from "../readings.ts";
import { check, counted, unreadable } from "./check.ts";

export const endpoints = check({
  name: "endpoints",
  group: "replicas",
  looksAt: "The Service that the registration names, and whether something is ready behind it.",
  problems: {
    "no-service": {
      status: "fail",
      means: "The API server calls a Service that is not there, in vain.",
      do: "helm upgrade the release; or, if it is uninstalled, delete the MutatingWebhookConfiguration REGISTRATION.",
    },
    "no-port": {
      status: "fail",
      means: "The API server calls a port that the Service does not have, in vain.",
      do: "Restore the Service and the registration: helm upgrade with the same values.",
    },
    "none-ready": {
      status: "fail",
      means: "No replica takes calls: runner pods are created unprimed, or, with failurePolicy Fail, not at all.",
      do: "kubectl -n NAMESPACE get pods, then describe and logs of those that are not ready.",
    },
  },
  look({ release }) {
    if (!release) return [];
    const target = firstEntry(release.registration)?.clientConfig?.service;
    const { service, endpoints: slices } = release;
    if (!target || !service) return [{ ok: "the registration names a URL, not a Service" }];
    const name = `the Service ${target.namespace}/${target.name}`;
    const names = { NAMESPACE: target.namespace, REGISTRATION: release.registration.metadata.name };
    if ("missing" in service) return [{ problem: "no-service", what: `${name} is not there`, names }];
    if (!("found" in service)) return [unreadable(name, service)];
    const { port = 443 } = target;
    if (!service.found.spec?.ports?.some((one) => one.port === port)) {
      return [{ problem: "no-port", what: `${name} has no port ${port}` }];
    }
    if (!slices || !("found" in slices)) return [unreadable("the EndpointSlices", slices ?? { failed: "not tried" })];
    const ready = readyAddresses(slices.found);
    if (ready === 0) return [{ problem: "none-ready", what: `nothing is ready behind ${name}`, names }];
    return [{ ok: `${counted(ready, "address").replace("addresss", "addresses")} ready behind ${name}` }];
  },
});
