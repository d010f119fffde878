import { describe, expect, test } from "vitest";
import { allEntries, inject, configurationWith } from "../../test/support/readings.ts";
import { mutatePaths } from "../webhook/routes.ts";
import { entryFor, entryPaths, levelOf, pathOf } from "./entries.ts";

const space = (name: string, labels: Record<string, string> = inject) => ({ metadata: { name, labels } });
const enforcing = (level: string) => space("ci", { ...inject, "pod-security.kubernetes.io/enforce": level });

test("the paths are those that the webhook serves", () => {
  expect(Object.fromEntries(Object.entries(entryPaths).map(([level, path]) => [path, level]))).toEqual(mutatePaths);
});

describe("the entry of a namespace", () => {
  const webhookConfiguration = configurationWith(allEntries);
  test("is selected by its level", () => {
    expect(entryFor(webhookConfiguration, space("ci"))?.name).toBe("runners.arc-primer.dev");
    expect(entryFor(webhookConfiguration, enforcing("restricted"))?.name).toBe("runners-restricted.arc-primer.dev");
  });

  test("does not exist without the label, or for an excluded namespace", () => {
    expect(entryFor(webhookConfiguration, space("ci", {}))).toBeUndefined();
    expect(entryFor(webhookConfiguration, space("kube-system"))).toBeUndefined();
  });

  test("has a path, from a Service or a URL", () => {
    expect(pathOf(allEntries[1]!)).toBe("/mutate/baseline");
    expect(pathOf({ name: "x", clientConfig: { url: "https://x.example.com/mutate/restricted" } })).toBe(
      "/mutate/restricted",
    );
    expect(pathOf({ name: "x" })).toBe("/");
  });

  test("determines the level; without a webhook configuration, the label does", () => {
    expect(levelOf(webhookConfiguration, enforcing("baseline"))).toBe("baseline");
    expect(levelOf(webhookConfiguration, space("ci"))).toBe("privileged");
    expect(levelOf(undefined, enforcing("restricted"))).toBe("restricted");
    expect(levelOf(undefined, space("ci"))).toBe("privileged");
    // The chart's podSecurity.default: restricted.
    const strict = configurationWith([{ ...allEntries[2]!, namespaceSelector: { matchLabels: inject } }]);
    expect(levelOf(strict, space("ci"))).toBe("restricted");
  });
});
