import { describe, expect, test } from "vitest";
import { parseWithWarnings } from "./load.ts";

const head = "apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\n";
const warnings = (text: string) => parseWithWarnings(head + text, "config.yaml").warnings;

describe("credentials in a URL", () => {
  test.each<[string, string]>([
    ["a proxy", '{ docker: { daemon: { env: { HTTPS_PROXY: "http://svc:hunter2@proxy:3128" } } } }'],
    ["a token", '{ prerequisites: { script: "#!/bin/sh\\ngit clone https://hunter2@github.com/a/b\\n" } }'],
    ["a flag", '{ docker: { daemon: { extraArgs: ["--log-opt=splunk-url=https://a:hunter2@b"] } } }'],
  ])("%s: warned of, and not repeated", (_what, profile) => {
    const found = warnings(`profiles:\n  default: ${profile}\n`);
    expect(found).toEqual([expect.stringMatching(/^config\.yaml:4 profiles\.default\.\S+: there are credentials/)]);
    expect(found[0]).not.toContain("hunter2");
  });

  test.each<[string, string]>([
    ["a URL without", '{ docker: { daemon: { env: { HTTPS_PROXY: "http://proxy:3128/a@b" } } } }'],
    ["variables", '{ docker: { daemon: { env: { HTTPS_PROXY: "http://$(USER):$(PASSWORD)@proxy:3128" } } } }'],
    [
      "a Secret",
      "{ docker: { daemon: { env: { HTTPS_PROXY: { valueFrom: { secretKeyRef: { name: proxy, key: url } } } } } } }",
    ],
  ])("%s: fine", (_what, profile) => expect(warnings(`profiles:\n  default: ${profile}\n`)).toEqual([]));
});

describe("a rule by scaleSets", () => {
  const gives = {
    dind: ["{ docker: { inject: true } }", "a privileged container"],
    logins: ["{ docker: { credentials: { secret: team } } }", "the logins of a Secret"],
    variables: [
      "{ docker: { daemon: { env: { A: { valueFrom: { secretKeyRef: { name: a, key: b } } } } } } }",
      "values of a Secret",
    ],
    certificates: ["{ privateCA: { secret: { name: ca } } }", "a Secret (privateCA)"],
  };
  test.each(Object.entries(gives))("that gives %s to any namespace", (name, [profile, words]) => {
    const found = warnings(`profiles:\n  ${name}: ${profile}\nrules:\n  - { scaleSets: [gold-*], profile: ${name} }\n`);
    expect(found).toEqual([expect.stringContaining(`config.yaml:6 rules[0].scaleSets: the profile ${name} gives`)]);
    expect(found[0]).toContain(words);
  });

  test.each<[string, string]>([
    ["with namespaces", "{ namespaces: [team-a], scaleSets: [gold-*], profile: dind }"],
    ["of all scale sets", "{ profile: dind }"],
    ["that gives nothing", "{ scaleSets: [gold-*], profile: default }"],
  ])("%s: fine", (_what, rule) => {
    expect(warnings(`profiles:\n  dind: { docker: { inject: true } }\nrules:\n  - ${rule}\n`)).toEqual([]);
  });

  test("that allows a pod to choose such a profile", () => {
    const rule = "{ scaleSets: [gold-*], profile: default, allowedProfiles: [dind] }";
    expect(warnings(`profiles:\n  dind: { docker: { inject: true } }\nrules:\n  - ${rule}\n`)).toHaveLength(1);
  });
});
