import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

test.each<[string, string | undefined]>([
  ["dockr", "docker"],
  ["dokcer", "docker"],
  ["dockerr", "docker"],
  ["DOCKER", "docker"],
  ["daggre", "dagger"],
  ["registrys", "registries"],
  ["profile", undefined],
  ["x", undefined],
  ["", undefined],
])("the name most similar to %j is %j", (name, meant) => {
  expect(nearest(name, ["docker", "dagger", "registries", "images"])).toBe(meant);
});

test("the most similar of several", () => {
  expect(nearest("gpu-larg", ["gpu-small", "gpu-large", "gpu"])).toBe("gpu-large");
});
