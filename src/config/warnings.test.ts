import { describe, expect, test } from "vitest";
import { parseWithWarnings } from "./load.ts";

const head = "apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\n";
const warnings = (text: string) => parseWithWarnings(head + text, "config.yaml").warnings;

describe("credentials in a URL", () => {
  test.each<[string, string]>([
    ["a proxy", '{ docker: { daemon: { env: { HTTPS_PROXY: "http://svc:hunter2@proxy:3128" } } } }'],
    ["a token", '{ prerequisites: { script: "#!/bin/sh\\ngit clone https://hunter2@github.com/a/b\\n" } }'],
    ["a flag", '{ docker: { daemon: { extraArgs: ["--log-opt=splunk-url=https://a:hunter2@b"] } } }'],
  ])("%s: a warning that does not repeat them", (_what, profile) => {
    const found = warnings(`profiles:\n  default: ${profile}\n`);
    expect(found).toEqual([
      expect.stringMatching(/^config\.yaml:4 profiles\.default\.\S+: this URL contains credentials/),
    ]);
    expect(found[0]).not.toContain("hunter2");
  });

  test.each<[string, string]>([
    ["a URL without", '{ docker: { daemon: { env: { HTTPS_PROXY: "http://proxy:3128/a@b" } } } }'],
    ["variables", '{ docker: { daemon: { env: { HTTPS_PROXY: "http://$(USER):$(PASSWORD)@proxy:3128" } } } }'],
    [
      "a Secret",
      "{ docker: { daemon: { env: { HTTPS_PROXY: { valueFrom: { secretKeyRef: { name: proxy, key: url } } } } } } }",
    ],
  ])("%s: no warning", (_what, profile) => expect(warnings(`profiles:\n  default: ${profile}\n`)).toEqual([]));
});

describe("a rule that selects only by scaleSets", () => {
  const gives = {
    dind: ["{ docker: { inject: true } }", "a privileged container"],
    logins: ["{ docker: { credentials: { secret: team } } }", "the logins of a Secret"],
    variables: [
      "{ docker: { daemon: { env: { A: { valueFrom: { secretKeyRef: { name: a, key: b } } } } } } }",
      "values of a Secret",
    ],
    certificates: ["{ privateCA: { secret: { name: ca } } }", "a Secret (privateCA)"],
  };
  test.each(Object.entries(gives))("gets a warning if it gives %s to any namespace", (name, [profile, words]) => {
    const found = warnings(`profiles:\n  ${name}: ${profile}\nrules:\n  - { scaleSets: [gold-*], profile: ${name} }\n`);
    expect(found).toEqual([expect.stringContaining(`config.yaml:6 rules[0].scaleSets: the profile ${name} gives`)]);
    expect(found[0]).toContain(words);
  });

  test.each<[string, string]>([
    ["with namespaces", "{ namespaces: [team-a], scaleSets: [gold-*], profile: dind }"],
    ["of all scale sets", "{ profile: dind }"],
    ["that gives nothing", "{ scaleSets: [gold-*], profile: default }"],
  ])("%s: no warning", (_what, rule) => {
    expect(warnings(`profiles:\n  dind: { docker: { inject: true } }\nrules:\n  - ${rule}\n`)).toEqual([]);
  });

  test("gets a warning if it allows a pod to select such a profile", () => {
    const rule = "{ scaleSets: [gold-*], profile: default, allowedProfiles: [dind] }";
    expect(warnings(`profiles:\n  dind: { docker: { inject: true } }\nrules:\n  - ${rule}\n`)).toHaveLength(1);
  });
});

describe("a rule that never matches", () => {
  const warningsOfRules = (...rules: string[]) =>
    warnings(`profiles: { ci: {} }\nrules:\n${rules.map((rule) => `  - { profile: ci, ${rule} }\n`).join("")}`);

  test.each<[string, string[], string]>([
    ["after one for everything", ["", "namespaces: [ci]"], "rules[0] matches all its pods first"],
    ["twice", ["namespaces: [ci]", "namespaces: [ci]"], "rules[0] matches"],
    ["after a wider pattern", ["namespaces: [ci-*]", "namespaces: [ci-gpu, ci-*-x]"], "rules[0] matches"],
    [
      "after two that share its pods",
      ["namespaces: [a]", "namespaces: [b]", "namespaces: [a, b]"],
      "rules[0] and rules[1] match all its pods first; move this rule before rules[0]",
    ],
    ["by both", ["scaleSets: [x*]", "namespaces: [ci], scaleSets: [xl]"], "rules[0] matches"],
  ])("%s", (_what, rules, words) => {
    const last = rules.length - 1;
    expect(warningsOfRules(...rules)).toEqual([expect.stringContaining(words)]);
    expect(warningsOfRules(...rules)[0]).toContain(`config.yaml:${5 + last} rules[${last}]: this rule never matches`);
  });

  test.each<[string, string[]]>([
    ["in the right order", ["namespaces: [ci]", ""]],
    ["partly before", ["namespaces: [ci-*]", "namespaces: [ci-gpu, other]"]],
    ["narrower before", ["namespaces: [ci-*-x]", "namespaces: [ci-*]"]],
    ["by another label", ["namespaces: [ci], scaleSets: [a]", "namespaces: [ci], scaleSets: [b]"]],
  ])("%s: no warning", (_what, rules) => expect(warningsOfRules(...rules)).toEqual([]));

  test("because its namespace cannot exist", () => {
    expect(warningsOfRules("namespaces: [team.a, 'team-*']")).toEqual([
      expect.stringContaining("rules[0].namespaces[0]: team.a cannot match any namespace"),
    ]);
  });
});
