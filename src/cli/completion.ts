import { RootCommand, script } from "@bomb.sh/tab";
import type { Command as Completed } from "@bomb.sh/tab";
import type { Argument, Command, Option } from "commander";

export type Shell = "bash" | "zsh" | "fish";

/** What stands for a file in the help: these are completed by the shell. */
const fileNames = ["file", "pod"];

/** What ends the library's search where the shell has to complete a file's name. */
const wantsFile = new Error("a file's name is completed by the shell");

/**
 * `arc-primer completion`: prints what makes a shell complete the program's arguments. It asks `arc-primer complete`.
 *
 * @param name the program's name
 */
export function printCompletion(name: string, shell: Shell): void {
  if (shell === "bash") process.stdout.write(beforeBash);
  script(shell, name, name);
  if (shell === "bash") process.stdout.write(afterBash(name));
}

// The library's script for bash asks for the package bash-completion, which is not on every machine. It never lets bash
// complete files, and marks variables as read-only, so that reading it again (`source ~/.bashrc`) is an error message a
// variable.
const beforeBash = `{
declare -F _get_comp_words_by_ref > /dev/null || _get_comp_words_by_ref() {
  words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
}
`;
const afterBash = (name: string) => `complete -o default -F __${name.replaceAll("-", "_")}_complete ${name}
} 2> /dev/null
`;

/**
 * `arc-primer complete -- WORD...`: prints what the last word may become, in the protocol of the scripts: a line each,
 * and at last a number, which is 0 where the shell is to complete files.
 */
export function complete(program: Command, words: readonly string[]): void {
  const root = new RootCommand();
  addCommand(root, program, []);
  try {
    root.parse([...words]);
  } catch (error) {
    if (error !== wantsFile) throw error;
    process.stdout.write(":0\n");
  }
}

function addCommand(root: RootCommand, command: Command, names: readonly string[]): void {
  const completed = names.length === 0 ? root : root.command(names.join(" "), command.description());
  for (const option of command.createHelp().visibleOptions(command)) addOption(completed, option);
  for (const argument of command.registeredArguments) {
    completed.argument(argument.name(), valuesOf(argument, argument.name()), argument.variadic);
  }
  for (const one of command.createHelp().visibleCommands(command)) addCommand(root, one, [...names, one.name()]);
}

function addOption(command: Completed, option: Option): void {
  const short = option.short?.slice(1);
  const value = /[<[](.*)[\]>]/.exec(option.flags)?.[1];
  const name = option.long?.slice(2) ?? option.name();
  if (value === undefined) command.option(name, option.description, short);
  else command.option(name, option.description, valuesOf(option, value), short);
}

/** Gives the library the values that there are to choose from, or says that the value is a file. */
function valuesOf({ argChoices = [] }: Argument | Option, name: string) {
  return (add: (value: string, description: string) => void): void => {
    if (fileNames.includes(name)) throw wantsFile;
    for (const choice of argChoices) add(choice, "");
  };
}
