import type { Webhook } from "../objects.ts";
import { foundOr, isOurs, labelledNamespaces } from "../readings.ts";
import type { Readings } from "../readings.ts";
import { includesPodCreation, matchesLabels } from "../selectors.ts";
import { check, listed, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";

export const otherWebhooks = check({
  name: "other-webhooks",
  group: "webhook",
  description: "Other webhooks that the API server calls for runner pods, and whether they are reachable.",
  problems: {
    down: {
      status: "fail",
      means:
        "The API server creates no runner pod without a response from this webhook: its failurePolicy is Fail, and its Service has no ready endpoints.",
      do: "Repair that webhook, or exclude the namespaces of the runners with its namespaceSelector.",
    },
  },
  run(readings) {
    const { mutating, validating, backends } = readings;
    const unread = [mutating, validating].flatMap((one) =>
      "found" in one ? [] : [unreadable("webhook configurations", one)],
    );
    const seen = [...foundOr(mutating, []), ...foundOr(validating, [])].flatMap(({ metadata, webhooks = [] }) =>
      webhooks
        .filter((entry) => !isOurs(entry) && receivesRunners(entry, readings))
        .map((entry) => ({ ...entry, of: metadata.name })),
    );
    const findings: Finding<"down">[] = seen.flatMap(({ name, of, clientConfig, failurePolicy }) => {
      const service = clientConfig?.service;
      const ready = service && foundOr(backends[`${service.namespace}/${service.name}`], undefined);
      if (failurePolicy === "Ignore" || ready !== 0) return [];
      const backend = `the Service ${service!.namespace}/${service!.name}`;
      return [{ problem: "down", what: `the webhook ${name} (${of}) is down: ${backend} has no ready endpoints` }];
    });
    if (findings.length > 0 || unread.length > 0) return [...findings, ...unread];
    const names = seen.map(({ name, failurePolicy = "Fail" }) => `${name} (${failurePolicy})`);
    return [
      {
        ok:
          names.length > 0
            ? `other webhooks receive runner pods, and none of them is down: ${listed(names)}`
            : "no other webhook receives runner pods",
      },
    ];
  },
});

function receivesRunners({ rules, objectSelector, namespaceSelector }: Webhook, readings: Readings): boolean {
  return (
    includesPodCreation(rules) &&
    matchesLabels(objectSelector, { "actions-ephemeral-runner": "True", "app.kubernetes.io/component": "runner" }) &&
    labelledNamespaces(readings).some(({ metadata }) =>
      matchesLabels(namespaceSelector, { "kubernetes.io/metadata.name": metadata.name, ...metadata.labels }),
    )
  );
}
