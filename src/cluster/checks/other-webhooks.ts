import type { Webhook } from "../objects.ts";
import { foundOr, isOurs, labelled } from "../readings.ts";
import type { Readings } from "../readings.ts";
import { includesPodCreation, matchesLabels } from "../selectors.ts";
import { check, listed, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";

export const otherWebhooks = check({
  name: "other-webhooks",
  group: "webhook",
  looksAt: "Other webhooks that are asked about runner pods: whether they can be reached.",
  problems: {
    down: {
      status: "fail",
      means:
        "Without an answer from it the API server creates no runner pod: its failurePolicy is Fail, and nothing is ready behind its Service.",
      do: "Repair that webhook, or exclude the runners' namespaces with its namespaceSelector.",
    },
  },
  look(readings) {
    const { mutating, validating, backends } = readings;
    const unread = [mutating, validating].flatMap((one) =>
      "found" in one ? [] : [unreadable("webhook configurations", one)],
    );
    const seen = [...foundOr(mutating, []), ...foundOr(validating, [])].flatMap(({ metadata, webhooks = [] }) =>
      webhooks
        .filter((entry) => !isOurs(entry) && seesRunners(entry, readings))
        .map((entry) => ({ ...entry, of: metadata.name })),
    );
    const findings: Finding<"down">[] = seen.flatMap(({ name, of, clientConfig, failurePolicy }) => {
      const service = clientConfig?.service;
      const ready = service && foundOr(backends[`${service.namespace}/${service.name}`], undefined);
      if (failurePolicy === "Ignore" || ready !== 0) return [];
      const behind = `the Service ${service!.namespace}/${service!.name}`;
      return [{ problem: "down", what: `the webhook ${name} (${of}) is down: nothing is ready behind ${behind}` }];
    });
    if (findings.length > 0 || unread.length > 0) return [...findings, ...unread];
    const names = seen.map(({ name, failurePolicy = "Fail" }) => `${name} (${failurePolicy})`);
    return [
      {
        ok:
          names.length > 0
            ? `others that see runner pods, none in the way: ${listed(names)}`
            : "no other webhook sees runner pods",
      },
    ];
  },
});

function seesRunners({ rules, objectSelector, namespaceSelector }: Webhook, readings: Readings): boolean {
  return (
    includesPodCreation(rules) &&
    matchesLabels(objectSelector, { "actions-ephemeral-runner": "True", "app.kubernetes.io/component": "runner" }) &&
    labelled(readings).some(({ metadata }) =>
      matchesLabels(namespaceSelector, { "kubernetes.io/metadata.name": metadata.name, ...metadata.labels }),
    )
  );
}
