import { readFile, readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { foldScripts, unfoldScripts } from "../src/cli/show.ts";
import { parseConfig } from "../src/config/load.ts";
import { readManifests } from "../src/manifests/yaml.ts";
import { mutations } from "../src/mutations/index.ts";
import type { Pod } from "../src/pod/types.ts";
import { createPrime } from "../src/engine/prime.ts";
import { report } from "../src/report/report.ts";
import { goldenBundles, goldenPodSecurity } from "./support/pods.ts";

// Each folder of test/golden contains an input pod, a configuration, the expected pod, and the report.
// `npm run golden` regenerates want.yaml and report.txt. Review the changes before you commit them.

const golden = new URL("golden/", import.meta.url);
const cases = (await readdir(golden)).toSorted();
const prime = createPrime({ mutations, version: "0.0.0-test" });
const layout = { lineWidth: 0, indentSeq: false, compat: "yaml-1.1", aliasDuplicateObjects: false } as const;

test("there are golden folders", () => {
  expect(cases.length).toBeGreaterThanOrEqual(15);
});

describe.each(cases)("golden: %s", (name) => {
  const folder = new URL(`${name}/`, golden);

  async function run(change: (pod: Pod) => Pod = (pod) => pod) {
    const [document] = readManifests(await readFile(new URL("pod.yaml", folder), "utf8"), `${name}/pod.yaml`);
    const pod = change(unfoldScripts(document?.value as Pod));
    const config = parseConfig(await readFile(new URL("config.yaml", folder), "utf8"), `${name}/config.yaml`);
    const namespace = pod.metadata.namespace ?? "default";
    return {
      pod,
      namespace,
      primed: prime(pod, { namespace, podSecurity: goldenPodSecurity(name), config, bundles: goldenBundles(name) }),
    };
  }

  test("the result equals want.yaml, and the report equals report.txt", async () => {
    const { pod, namespace, primed } = await run();
    await expect(stringify(foldScripts(primed.pod), layout)).toMatchFileSnapshot(new URL("want.yaml", folder).pathname);
    const text = report(`Pod ${namespace}/${pod.metadata.name}`, primed);
    await expect(text).toMatchFileSnapshot(new URL("report.txt", folder).pathname);
  });

  test("the second pass changes nothing", async () => {
    const first = await run();
    const second = await run(() => first.primed.pod as Pod);
    expect(second.primed.pod).toBe(first.primed.pod);
  });
});
