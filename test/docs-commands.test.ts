import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { elsewhere, onCluster } from "./support/docs-commands.ts";
import { docBlocks, docCommands, isShell, root } from "./support/docs.ts";
import { DocsFolder } from "./support/docs-folder.ts";
import { haveTools } from "./support/tools.ts";

// Every command of the documentation is run by this test or another one, or its page says that it is not run.

const commands = docCommands();
const clusterCommands: readonly string[] = Object.values(onCluster);
const isRunElsewhere = ({ text }: { text: string }) =>
  clusterCommands.includes(text) || elsewhere.some(({ command }) => command === text);
/** Matches the commands that this test can run: they read the checkout, write to standard output, and exit. */
const canRunHere =
  /^((npm run (-s )?)?arc-primer (-- )?(?!serve|doctor)\w|npm run (-s )?demo|helm (template|lint|show)|jq|sed|grep)/;
/** Prevents commands from reaching a real cluster that is configured on the machine. */
const withoutCluster = { KUBECONFIG: "/dev/null" };

const unmarked = commands.filter((command) => !command.isMarked && !isRunElsewhere(command));
const runHere = [
  ...new Map(unmarked.filter(({ text }) => canRunHere.test(text)).map((one) => [one.text, one])).values(),
];

const whatToDo = `Do one of these:
- Use a command that test/docs-commands.test.ts can run: arc-primer with a subcommand that reads files, helm template, lint
  or show, npm run demo, jq, sed, grep. It runs in a copy of the checkout with pod.yaml, primer.yaml, values.yaml and a chart
  my-chart (you can add files in test/support/docs-folder.ts). There is no cluster.
- Add the test that runs it to test/support/docs-commands.ts: the command exactly as on the page, the file and the test.
- Mark it on the page as not run: with a paragraph "Not run here: …" directly above the block or below its heading, or with
  a comment "# not run here: …" at the end of the line.`;

test("every command is run by a test, or marked as not run", () => {
  const missing = unmarked.filter(({ text }) => !canRunHere.test(text)).map(({ where, text }) => `${where}: ${text}`);
  expect(missing, `${missing.join("\n")}\n\nNo test runs these commands. ${whatToDo}\n`).toEqual([]);
});

test("command blocks have the language `sh`, so that they can be copied as a whole", () => {
  const others = docBlocks().filter((block) => isShell(block) && block.language !== "sh");
  expect(others.map(({ page, line }) => `${page}:${line}`)).toEqual([]);
});

describe.runIf(haveTools("helm"))("the command", () => {
  const folder = new DocsFolder();
  afterAll(() => folder.remove());

  test.each(runHere)("$where: $text", { timeout: 60_000 }, ({ where, text }) => {
    const { status, stdout, stderr } = folder.run(text, withoutCluster);
    expect(status, `${where}: ${text}\n${stdout}${stderr}\nThe command failed. ${whatToDo}\n`).toBe(0);
    expect(stdout !== "" || text.includes(">"), "it printed nothing").toBe(true);
  });
});

describe("the table of commands that other tests run", () => {
  const documented = new Set(commands.map(({ text }) => text));

  test.each(elsewhere)("$command: $file contains the test", ({ file, contains }) => {
    expect(readFileSync(root + file, "utf8")).toContain(contains);
  });

  test("lists only commands of the documentation", () => {
    const known = [...clusterCommands, ...elsewhere.map(({ command }) => command)];
    expect(known.filter((command) => !documented.has(command))).toEqual([]);
  });

  test("the cluster test uses all of its commands", () => {
    const text = readFileSync(`${root}test/cluster/docs.node.test.ts`, "utf8");
    const unused = Object.keys(onCluster).filter((name) => !text.includes(`onCluster.${name}`));
    expect(unused).toEqual([]);
  });
});
