import * as fc from "fast-check";
import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { LineCounter, isMap, isSeq, parse, parseDocument, visit } from "yaml";
import type { Node } from "yaml";
import { writeYaml, yamlStyles } from "../../test/support/yaml-styles.ts";
import { unfoldScripts } from "../cli/show.ts";
import { parseConfig } from "../config/load.ts";
import { createPrime } from "../engine/prime.ts";
import { mutations } from "../mutations/index.ts";
import { primeManifest } from "./prime-manifest.ts";
import { readManifests } from "./yaml.ts";

// An edit changes only the lines of the values that change.

const golden = new URL("../../test/golden/", import.meta.url);
const names = readdirSync(golden);
const read = (name: string, file: string) => readFileSync(new URL(`${name}/${file}`, golden), "utf8");
const prime = createPrime({ mutations, version: "1" });
const asKubectl = { version: "1.1", merge: true } as const;

/** Primes a text with one document. Returns the text before and after, and the value that it should have then. */
function primed(text: string, configText: string) {
  const config = parseConfig(configText, "config.yaml");
  const [document] = readManifests(text, "pod.yaml");
  const { manifest } = primeManifest(document!.value, "arc-runners", (pod, namespace) =>
    prime(pod, { namespace, podSecurity: "privileged", config }),
  );
  return { manifest, ...document!.changed(manifest) };
}

/** The lines of a text that contain no value that differs in `changed` or is missing there. */
function untouchedLines(text: string, changed: unknown): string[] {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { ...asKubectl, lineCounter });
  const touched = new Set<number>();
  function look(node: Node, value: unknown, now: unknown, from: number): void {
    if (JSON.stringify(value) === JSON.stringify(now)) return;
    if (isMap<{ value: unknown; range: number[] }, Node>(node) && !node.flow && now instanceof Object) {
      for (const { key, value: child } of node.items) {
        const name = String(key.value);
        const [was, is] = [value, now].map((one) => (one as Record<string, unknown>)[name]);
        if (child) look(child, was, is, key.range[0]!);
      }
    } else if (isSeq<Node>(node) && !node.flow && Array.isArray(now) && now.length > 0) {
      for (const [index, item] of node.items.entries()) {
        const was = (value as ({ name?: string } | null)[])[index];
        const named = (now as { name?: string }[]).find(({ name }) => name === was?.name);
        look(item, was, was?.name === undefined ? now[index] : named, text.lastIndexOf("- ", item.range![0]));
      }
    } else {
      for (let offset = from; offset < node.range![1]; offset += 1) touched.add(lineCounter.linePos(offset).line);
    }
  }
  look(document.contents!, document.toJS(), changed, 0);
  const lineOf = (offset: number) => lineCounter.linePos(offset).line;
  visit(document, {
    Alias(_key, alias) {
      const [from, to] = alias.resolve(document)!.range!.map(lineOf);
      const isKept = [...touched].every((line) => line < from! || line > to!);
      if (!isKept) touched.add(lineOf(alias.range![0])); // its anchor was changed or removed
    },
  });
  return text.split(/(?<=\n)|$/).filter((_, index) => !touched.has(index + 1));
}

/** The first of the lines that the text does not contain, in this order. */
function missing(text: string, lines: readonly string[]): string | undefined {
  let from = 0;
  const all = text.split(/(?<=\n)|$/); // each with its line end
  return lines.find((line) => {
    const at = all.indexOf(line, from);
    from = at + 1;
    return at < 0;
  });
}

test.each(names)("%s: unchanged lines are kept byte for byte", (name) => {
  const text = read(name, "pod.yaml").replaceAll(/<the text of [^>]+>/g, "a script");
  const { before, after, manifest } = primed(text, read(name, "config.yaml"));
  expect(before).toBe(text);
  expect(parse(after, asKubectl)).toEqual(manifest);
  const untouched = untouchedLines(text, manifest);
  expect(untouched.length).toBeGreaterThan(text.split("\n").length / 2);
  expect(missing(after, untouched)).toBeUndefined();
});

test("unchanged lines are kept in any style: comments, flow style, quotes, indentation, anchors, Windows line endings", () => {
  fc.assert(
    fc.property(fc.constantFrom(...names), yamlStyles, (name, style) => {
      const text = writeYaml(unfoldScripts(parse(read(name, "pod.yaml"), asKubectl)), style);
      const { before, after, manifest } = primed(text, read(name, "config.yaml"));
      expect(parse(after, asKubectl)).toEqual(manifest);
      expect(before).toBe(text);
      const untouched = untouchedLines(text, manifest);
      const last = style.windows ? "\r\n" : "\n"; // a last line without a line ending gets one if lines are added after it
      const complete = untouched.map((line) => (line.endsWith("\n") ? line : line + last));
      expect(missing(after.endsWith("\n") ? after : after + last, complete)).toBeUndefined();
      expect(new Set(after.match(/\r?\n/g))).toEqual(new Set([last]));
      const notes = after.match(/# (above|beside) \d+$/gm) ?? [];
      expect(notes).toEqual([...new Set(notes)]);
    }),
    { numRuns: 200 },
  );
});

const head = `# the first line
apiVersion:   v1 # kept
kind: 'Pod'
metadata: {labels:  {actions-ephemeral-runner: "True"}}
spec:
      containers:
      -   name: "runner"
          image:  x    # kept as well
          resources: &none {}
`;
const other = "      - {name: other, resources: *none}\n";
const none = "apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\n";
const env = "          env: [ {name: DOCKER_HOST, value: 'tcp://docker:1'} ]\n";
const script = /^ {10}- \|\n( {12}.*\n|\n)+/m;
const words = ["arc-primer-wait", "timeout=120", "interval=0.05", "exit-code=42", "on-timeout=fail", "--"];
const list = ["- /bin/sh", "- -c", "SCRIPT", ...words.map((word) => `- ${word}`), "- run.sh"];
const command = list.map((line) => `          ${line}\n`.replace("          SCRIPT\n", "SCRIPT")).join("");

test.each([
  ["a list in flow style", "          command: [run.sh] # mine\n", `          command: # mine\n${command}`],
  ["a list in block style", "          command:\n          # mine\n          - run.sh # end\n", undefined],
])("the exact result for %s", (_what, before, after) => {
  const changed = primed(head + before + env + other, none).after.replace(script, "SCRIPT");
  const want = after ?? `          command:\n          # mine\n${command.replace("run.sh", "run.sh # end")}`;
  const status = /^metadata: \{labels: \{actions-ephemeral-runner: "True"\}, annotations: \{.*\}\}\n/m;
  expect(changed).toMatch(status);
  expect(changed.replace(status, head.split("\n")[3] + "\n")).toBe(head + want + env + other);
});

test("a document in flow style is formatted anew, with each comment once", () => {
  const text = `# first\n{kind: Pod, apiVersion: v1, # second\n metadata: {labels: {actions-ephemeral-runner: "True"}}, spec: {containers: [{name: runner, command: [run.sh], env: [{name: DOCKER_HOST, value: "tcp://x:1"}]}]}}`;
  const { before, after, manifest } = primed(text, none);
  for (const one of [before, after]) expect(one.match(/# (first|second)/g)).toEqual(["# first", "# second"]);
  expect(parse(after, asKubectl)).toEqual(manifest);
});
