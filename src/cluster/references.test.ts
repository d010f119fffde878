import { expect, test } from "vitest";
import { profileWith } from "../../test/support/pods.ts";
import { referencesOf } from "./references.ts";

const named = (profile: object) =>
  referencesOf(profileWith(profile), "ci").map(({ kind, namespace, name, key }) => [kind, namespace, name, key]);

test("the objects that a profile references", () => {
  expect(named({})).toEqual([]);
  expect(
    named({
      docker: { credentials: { secret: "login" }, data: { ephemeral: { storageClassName: "fast", size: "10Gi" } } },
      images: { mirrors: { "docker.io": "harbor.example.com/hub" }, pullSecrets: ["pull"] },
      privateCA: { configMap: { name: "ca" } },
    }),
  ).toEqual([
    ["Secret", "ci", "login", ".dockerconfigjson"],
    ["Secret", "ci", "pull", ".dockerconfigjson"],
    ["ConfigMap", "ci", "ca", "ca.crt"],
    ["StorageClass", "", "fast", undefined],
  ]);
  expect(named({ privateCA: { secret: { name: "ca", key: "x.pem" } } })).toEqual([["Secret", "ci", "ca", "x.pem"]]);
});

test("objects of disabled settings are not included", () => {
  expect(named({ docker: { credentials: { enabled: false, secret: "login" } } })).toEqual([]);
  expect(named({ images: { enabled: false, pullSecrets: ["pull"] } })).toEqual([]);
});
