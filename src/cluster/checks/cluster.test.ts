import { describe, expect, test } from "vitest";
import {
  configText,
  configuration,
  created,
  dryRun,
  forbidden,
  marksOf,
  node,
  readings,
  testCheck,
  textOf,
} from "../../../test/support/readings.ts";
import type { Readings } from "../readings.ts";
import { apiServer } from "./api-server.ts";
import { imageVolumes } from "./image-volumes.ts";
import { nodes } from "./nodes.ts";

const version = (gitVersion: string) => ({ version: { found: { major: "1", minor: "0", gitVersion } } });

describe("api-server", () => {
  testCheck(apiServer, (gitVersion: string) => readings(version(gitVersion)), [
    ["a new version", "v1.37.2", ["✓"]],
    ["a provider's version", "v1.30.5-gke.1014001", ["✓"]],
    ["without native sidecars", "v1.28.9", ["! no-native-sidecars"]],
    ["without match conditions", "v1.27.3", ["✗ too-old"]],
  ]);

  test("without permission to read the version", () =>
    expect(marksOf(apiServer, readings({ version: forbidden }))).toEqual(["?"]));
});

describe("nodes", () => {
  test("are counted by kubelet and runtime", () => {
    expect(textOf(nodes, readings())).toBe("2 nodes: kubelet v1.37.2, containerd://2.1.4 (2)");
  });

  test("the node with an old kubelet is named, unless it runs Windows", () => {
    const old = { kubeletVersion: "v1.28.1" };
    const found = [node("a"), node("b", old), node("c", { ...old, operatingSystem: "windows" })];
    const of = readings({ nodes: { found } });
    expect(marksOf(nodes, of)).toEqual(["✓", "! no-native-sidecars"]);
    expect(textOf(nodes, of)).toContain("kubelets before 1.29 on b ");
  });

  test("cannot be read, or do not exist", () => {
    expect(marksOf(nodes, readings({ nodes: forbidden }))).toEqual(["?"]);
    expect(marksOf(nodes, readings({ nodes: { found: [] } }))).toEqual(["?"]);
  });
});

describe("image-volumes", () => {
  const using = {
    configuration: configuration(configText({ profiles: { fast: { docker: { externals: "volume" } } } })),
  };
  const dropped = { imageVolume: created({ spec: { volumes: [] } }) };
  const oldContainerd = {
    nodes: { found: [node("a"), node("b", { containerRuntimeVersion: "containerd://1.7.27" })] },
  };
  const crio = { nodes: { found: [node("a", { containerRuntimeVersion: "cri-o://1.35.0" })] } };

  test("where they work: recommended for a scale set that copies externals", () => {
    expect(textOf(imageVolumes, readings())).toContain("would be safe and save time: each pod of linux");
    const plain = readings({ dryRuns: [dryRun("plain", "default-mode")] });
    expect(textOf(imageVolumes, plain)).toBe("image volumes work here; no scale set copies externals");
    expect(textOf(imageVolumes, readings({}, using))).toBe("image volumes work; the profile fast uses them");
  });

  test("where they do not work, and no profile uses them: mentioned, but not a problem", () => {
    for (const changes of [dropped, oldContainerd, crio])
      expect(marksOf(imageVolumes, readings(changes))).toEqual(["✓"]);
    expect(textOf(imageVolumes, readings(oldContainerd))).toContain("would not be safe");
  });

  describe("where a profile uses them, and", () => {
    testCheck(imageVolumes, (changes: Partial<Readings>) => readings(changes, using), [
      ["the API server drops them", dropped, ["✗ dropped"]],
      ["a node has an old containerd", oldContainerd, ["✗ unsafe-nodes"]],
      ["a node has CRI-O", crio, ["! untried"]],
      ["the nodes cannot be read", { nodes: forbidden }, ["?"]],
      [
        "there was no dry run, on a version with the feature gate",
        { imageVolume: undefined, ...version("v1.34.1") },
        ["?"],
      ],
      [
        "there was no dry run, on a version without the feature",
        { imageVolume: undefined, ...version("v1.32.1") },
        ["✗ dropped"],
      ],
    ]);
  });

  test("the advice names the profile", () => {
    expect(textOf(imageVolumes, readings(dropped, using))).toContain("to copy or memory in the profile fast");
  });
});
