import type { Command } from "commander";
import { createProgram } from "../src/cli/program.ts";
import { page } from "./markdown.ts";

/** Generates docs/reference/cli.md: the --help output of every command. */
export function cliReference(): string {
  return page(
    "# Command line",
    "<!-- Written by npm run generate, from src/cli/program.ts. -->",
    "In a checkout, run `npm run -s arc-primer -- COMMAND`. In the image, `arc-primer` is the entry point.",
    "The exit code is 0 on success, 1 on failure, and 2 if the command line is invalid. `render --exit-code` has [more exit codes](../guides/command-line.md#see-what-changes). Results go to standard output, messages and reports to standard error.",
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
