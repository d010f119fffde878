import { describe, expect, test } from "vitest";
import * as z from "zod";
import { profileSchema } from "../config/schema.ts";
import { mutations } from "../mutations/index.ts";
import { decider } from "./account.ts";
import { deciders } from "./deciders.ts";
import { mutationTexts } from "./mutation-texts.ts";
import { notes } from "./notes.ts";
import { mutationReasons, podReasons } from "./reasons.ts";
import type { Code } from "./reasons.ts";

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}

const schema = z.toJSONSchema(profileSchema, { io: "input", unrepresentable: "any" }) as Schema;

/** Whether a profile has a setting at this path. */
function isSetting(path: string): boolean {
  return path.split(".").reduce<Schema | undefined>((at, key) => at?.properties?.[key], schema) !== undefined;
}

const codes = Object.keys({ ...podReasons, ...mutationReasons, ...notes }) as Code[];

test("there is a setting for every reason and note, and for nothing else", () => {
  expect(Object.keys(deciders).toSorted()).toEqual(codes.toSorted());
  for (const { name } of Object.values(deciders)) expect(name).not.toBe("");
});

test("all settings of profiles exist in the schema", () => {
  const paths = [
    ...Object.values(deciders).flatMap(({ where, name }) => (where === "profile" ? [name] : [])),
    ...Object.values(mutationTexts).flatMap((text) => [text.setting, text.switch ?? text.setting]),
  ];
  expect(paths.filter((path) => !isSetting(path))).toEqual([]);
  expect(isSetting("docker.nothing")).toBe(false);
});

test("every mutation has a text", () => {
  expect(Object.keys(mutationTexts).toSorted()).toEqual(mutations.map(({ name }) => name).toSorted());
});

describe("for a reason that mutations share, the mutation's own setting decides:", () => {
  test.each<[Code, string, string]>([
    ["disabled", "registry-mirror", "docker.mirror.enabled"],
    ["disabled", "wait-for-docker", "docker.wait.enabled"],
    ["not-configured", "registry-mirror", "registries"],
    ["already-there", "docker-credentials", "docker.credentials.secret"],
    ["no-command", "wait-for-docker", "runner.command"],
  ])("%s of %s: %s", (code, mutation, name) => {
    expect(decider(code, mutation)).toEqual({ where: "profile", name });
  });
});
