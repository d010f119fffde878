import { describe, expect, test } from "vitest";
import {
  configuration,
  created,
  headed,
  mayNot,
  node,
  readings,
  says,
  trial,
  words,
} from "../../../test/support/readings.ts";
import { apiServer } from "./api-server.ts";
import { imageVolumes } from "./image-volumes.ts";
import { nodes } from "./nodes.ts";

const version = (gitVersion: string) => ({ version: { found: { major: "1", minor: "0", gitVersion } } });

describe("api-server", () => {
  test.each<[string, string, string[]]>([
    ["a new version", "v1.37.2", ["✓"]],
    ["a provider's version", "v1.30.5-gke.1014001", ["✓"]],
    ["without native sidecars", "v1.28.9", ["! no-native-sidecars"]],
    ["without match conditions", "v1.27.3", ["✗ too-old"]],
  ])("%s", (_, gitVersion, said) => expect(says(apiServer, readings(version(gitVersion)))).toEqual(said));

  test("without permission to read the version", () =>
    expect(says(apiServer, readings({ version: mayNot }))).toEqual(["?"]));
});

describe("nodes", () => {
  test("are counted by kubelet and runtime", () => {
    expect(words(nodes, readings())).toBe("2 nodes: kubelet v1.37.2, containerd://2.1.4 (2)");
  });

  test("the node with an old kubelet is named, unless it runs Windows", () => {
    const old = { kubeletVersion: "v1.28.1" };
    const found = [node("a"), node("b", old), node("c", { ...old, operatingSystem: "windows" })];
    const of = readings({ nodes: { found } });
    expect(says(nodes, of)).toEqual(["✓", "! no-native-sidecars"]);
    expect(words(nodes, of)).toContain("kubelets before 1.29 on b ");
  });

  test("cannot be read, or do not exist", () => {
    expect(says(nodes, readings({ nodes: mayNot }))).toEqual(["?"]);
    expect(says(nodes, readings({ nodes: { found: [] } }))).toEqual(["?"]);
  });
});

describe("image-volumes", () => {
  const using = { configuration: configuration(headed({ profiles: { fast: { docker: { externals: "volume" } } } })) };
  const dropped = { imageVolume: created({ spec: { volumes: [] } }) };
  const oldContainerd = {
    nodes: { found: [node("a"), node("b", { containerRuntimeVersion: "containerd://1.7.27" })] },
  };
  const crio = { nodes: { found: [node("a", { containerRuntimeVersion: "cri-o://1.35.0" })] } };

  test("where they work: recommended for a scale set that copies externals", () => {
    expect(words(imageVolumes, readings())).toContain("would be safe and save time: each pod of linux");
    const plain = readings({ trials: [trial("plain", "default-mode")] });
    expect(words(imageVolumes, plain)).toBe("image volumes work here; no scale set copies externals");
    expect(words(imageVolumes, readings({}, using))).toBe("image volumes work; the profile fast uses them");
  });

  test("where they do not work, and no profile uses them: mentioned, but not a problem", () => {
    for (const changes of [dropped, oldContainerd, crio]) expect(says(imageVolumes, readings(changes))).toEqual(["✓"]);
    expect(words(imageVolumes, readings(oldContainerd))).toContain("would not be safe");
  });

  test.each<[string, object, string[]]>([
    ["the API server drops them", dropped, ["✗ dropped"]],
    ["a node has an old containerd", oldContainerd, ["✗ unsafe-nodes"]],
    ["a node has CRI-O", crio, ["! untried"]],
    ["the nodes cannot be read", { nodes: mayNot }, ["?"]],
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
  ])("a profile uses them, and %s", (_, changes, said) => {
    expect(says(imageVolumes, readings(changes, using))).toEqual(said);
  });

  test("the advice names the profile", () => {
    expect(words(imageVolumes, readings(dropped, using))).toContain("to copy or memory in the profile fast");
  });
});
