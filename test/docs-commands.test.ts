import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { elsewhere, onCluster } from "./support/docs-commands.ts";
import { docBlocks, docCommands, isShell, root } from "./support/docs.ts";
import { DocsFolder } from "./support/docs-folder.ts";
import { haveTools } from "./support/tools.ts";

// Every command of the documentation is run, here or by another test, or its page says that it is not.

const commands = docCommands();
const walked: readonly string[] = Object.values(onCluster);
const isElsewhere = ({ text }: { text: string }) =>
  walked.includes(text) || elsewhere.some(({ command }) => command === text);
/** What can be run here: it reads the checkout, writes to standard output and ends. */
const canRunHere =
  /^((npm run (-s )?)?arc-primer (-- )?(?!serve|doctor)\w|npm run (-s )?demo|helm (template|lint|show)|jq|sed|grep)/;
/** No command of a page may reach a cluster that the machine has. */
const withoutCluster = { KUBECONFIG: "/dev/null" };

const own = commands.filter((command) => !command.isMarked && !isElsewhere(command));
const here = [...new Map(own.filter(({ text }) => canRunHere.test(text)).map((one) => [one.text, one])).values()];

const whatToDo = `Do one of these:
- Make it a command that test/docs-commands.test.ts runs itself: arc-primer with a subcommand that takes files, helm template,
  lint or show, npm run demo, jq, sed, grep. Its folder is the checkout, with pod.yaml, primer.yaml, values.yaml and a chart
  my-chart (test/support/docs-folder.ts, which can have more). There is no cluster.
- Name the test that runs it in test/support/docs-commands.ts: the command as it is on the page, the file and the test.
- Say on the page that it is not run: a paragraph "Not run here: …" right above the block or first below its heading, or
  a comment "# not run here: …" at the end of the line.`;

test("every command is run by a test, or marked", () => {
  const missing = own.filter(({ text }) => !canRunHere.test(text)).map(({ where, text }) => `${where}: ${text}`);
  expect(missing, `${missing.join("\n")}\n\nNo test runs these. ${whatToDo}\n`).toEqual([]);
});

test("blocks of commands are `sh`, so that they can be copied whole", () => {
  const others = docBlocks().filter((block) => isShell(block) && block.language !== "sh");
  expect(others.map(({ page, line }) => `${page}:${line}`)).toEqual([]);
});

describe.runIf(haveTools("helm"))("the command", () => {
  const folder = new DocsFolder();
  afterAll(() => folder.remove());

  test.each(here)("$where: $text", { timeout: 60_000 }, ({ where, text }) => {
    const { status, stdout, stderr } = folder.run(text, withoutCluster);
    expect(status, `${where}: ${text}\n${stdout}${stderr}\nIt failed. ${whatToDo}\n`).toBe(0);
    expect(stdout !== "" || text.includes(">"), "it printed nothing").toBe(true);
  });
});

describe("the table of commands that others run", () => {
  const shown = new Set(commands.map(({ text }) => text));

  test.each(elsewhere)("$command: $file has that test", ({ file, contains }) => {
    expect(readFileSync(root + file, "utf8")).toContain(contains);
  });

  test("names no command that is on no page", () => {
    const known = [...walked, ...elsewhere.map(({ command }) => command)];
    expect(known.filter((command) => !shown.has(command))).toEqual([]);
  });

  test("the cluster test runs all of its commands", () => {
    const text = readFileSync(`${root}test/cluster/docs.node.test.ts`, "utf8");
    const unused = Object.keys(onCluster).filter((name) => !text.includes(`onCluster.${name}`));
    expect(unused).toEqual([]);
  });
});
