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
    ["a new one", "v1.37.2", ["✓"]],
    ["a provider's", "v1.30.5-gke.1014001", ["✓"]],
    ["one without native sidecars", "v1.28.9", ["! no-native-sidecars"]],
    ["one without match conditions", "v1.27.3", ["✗ too-old"]],
  ])("%s", (_, gitVersion, said) => expect(says(apiServer, readings(version(gitVersion)))).toEqual(said));

  test("one that may not be asked", () => expect(says(apiServer, readings({ version: mayNot }))).toEqual(["?"]));
});

describe("nodes", () => {
  test("are counted by their kubelet and runtime", () => {
    expect(words(nodes, readings())).toBe("2 nodes: kubelet v1.37.2, containerd://2.1.4 (2)");
  });

  test("an old kubelet is named; one of Windows is not", () => {
    const old = { kubeletVersion: "v1.28.1" };
    const found = [node("a"), node("b", old), node("c", { ...old, operatingSystem: "windows" })];
    const of = readings({ nodes: { found } });
    expect(says(nodes, of)).toEqual(["✓", "! no-native-sidecars"]);
    expect(words(nodes, of)).toContain("kubelets before 1.29 on b ");
  });

  test("that may not be read, or are not there", () => {
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

  test("where they work: worth it for what copies, and not for what does not", () => {
    expect(words(imageVolumes, readings())).toContain("would be safe, and worth it: each pod of linux");
    const plain = readings({ trials: [trial("plain", "default-mode")] });
    expect(words(imageVolumes, plain)).toBe("image volumes work here; no scale set copies externals");
    expect(words(imageVolumes, readings({}, using))).toBe("image volumes work; the profile fast uses them");
  });

  test("where they do not work, and no profile uses them: it is said, and is no problem", () => {
    for (const changes of [dropped, oldContainerd, crio]) expect(says(imageVolumes, readings(changes))).toEqual(["✓"]);
    expect(words(imageVolumes, readings(oldContainerd))).toContain("would not be safe");
  });

  test.each<[string, object, string[]]>([
    ["the API server drops them", dropped, ["✗ dropped"]],
    ["a node has an old containerd", oldContainerd, ["✗ unsafe-nodes"]],
    ["a node has CRI-O", crio, ["! untried"]],
    ["the nodes may not be read", { nodes: mayNot }, ["?"]],
    ["nothing could be tried, on a version with the gate", { imageVolume: undefined, ...version("v1.34.1") }, ["?"]],
    [
      "nothing could be tried, on a version without it",
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
