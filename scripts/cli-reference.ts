import type { Command } from "commander";
import { createProgram } from "../src/cli/program.ts";
import { page } from "./markdown.ts";

/** Generates docs/reference/cli.md: the --help output of every command. */
export function cliReference(): string {
  return page(
    "# Command line",
    "<!-- Written by npm run generate, from src/cli/program.ts. -->",
    "From a checkout, `npm run -s arc-primer -- COMMAND` runs it; in the image it is the entry point.",
    "The exit code is 0 when it is done, 1 when it failed, and 2 when the command line is wrong; `render --exit-code` has [others](../guides/command-line.md#see-what-changes). Results go to standard output, messages and reports to standard error.",
    ...sections(createProgram("0.0.0"), []),
  );
}

function sections(command: Command, parents: readonly string[]): string[] {
  const names = [...parents, command.name()];
  command.configureHelp({ helpWidth: 110 });
  const help = command.helpInformation({ error: false }).trimEnd();
  const shown = command.createHelp().visibleCommands(command);
  return [
    `## ${names.join(" ")}`,
    `\`\`\`text\n${help}\n\`\`\``,
    ...command.commands.filter((one) => shown.includes(one)).flatMap((one) => sections(one, names)),
  ];
}
