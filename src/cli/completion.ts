import { RootCommand, script } from "@bomb.sh/tab";
import type { Command as CompletionCommand } from "@bomb.sh/tab";
import type { Argument, Command, Option } from "commander";

export type Shell = "bash" | "zsh" | "fish";

/** The placeholders for file names in the help. The shell completes their values. */
const fileNames = ["file", "pod"];

/** Thrown to leave the library when the shell has to complete a file name. */
const completesFile = new Error("the shell completes file names");

/**
 * `arc-primer completion`: prints a completion script for a shell. The script calls `arc-primer complete`.
 *
 * @param name the program's name
 */
export function printCompletion(name: string, shell: Shell): void {
  if (shell === "bash") process.stdout.write(beforeBash);
  script(shell, name, name);
  if (shell === "bash") process.stdout.write(afterBash(name));
}

// The library's script for bash has three problems. It requires the package bash-completion, which may be missing. It does
// not let bash complete file names. It marks variables as read-only, so sourcing it twice (`source ~/.bashrc`) prints an
// error for each variable.
const beforeBash = `{
declare -F _get_comp_words_by_ref > /dev/null || _get_comp_words_by_ref() {
  words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
}
`;
const afterBash = (name: string) => `complete -o default -F __${name.replaceAll("-", "_")}_complete ${name}
} 2> /dev/null
`;

/**
 * `arc-primer complete -- WORD...`: prints the completions of the last word, in the protocol of the scripts: one per line,
 * and then a line with a number. The number 0 tells the shell to complete file names.
 */
export function complete(program: Command, words: readonly string[]): void {
  const root = new RootCommand();
  addCommand(root, program, []);
  try {
    root.parse([...words]);
  } catch (error) {
    if (error !== completesFile) throw error;
    process.stdout.write(":0\n");
  }
}

function addCommand(root: RootCommand, command: Command, names: readonly string[]): void {
  const target = names.length === 0 ? root : root.command(names.join(" "), command.description());
  for (const option of command.createHelp().visibleOptions(command)) addOption(target, option);
  for (const argument of command.registeredArguments) {
    target.argument(argument.name(), valuesOf(argument, argument.name()), argument.variadic);
  }
  for (const subcommand of command.createHelp().visibleCommands(command)) {
    addCommand(root, subcommand, [...names, subcommand.name()]);
  }
}

function addOption(command: CompletionCommand, option: Option): void {
  const short = option.short?.slice(1);
  const value = /[<[](.*)[\]>]/.exec(option.flags)?.[1];
  const name = option.long?.slice(2) ?? option.name();
  if (value === undefined) command.option(name, option.description, short);
  else command.option(name, option.description, valuesOf(option, value), short);
}

/** Returns the function that passes the allowed values to the library. It throws `completesFile` if the value is a file. */
function valuesOf({ argChoices = [] }: Argument | Option, name: string) {
  return (add: (value: string, description: string) => void): void => {
    if (fileNames.includes(name)) throw completesFile;
    for (const choice of argChoices) add(choice, "");
  };
}
