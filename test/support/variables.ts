/**
 * All variables that one of our shell scripts sets, each with a value that a job might set. Scripts that end in
 * `exec "$@"` must pass them on unchanged: a variable that is exported when a shell starts stays exported, so an assignment
 * in the script would change it for the job. Names in upper case are meant for the job, and `arc_primer_…` are ours.
 */
export function jobVariables(script: string): Record<string, string> {
  const set = [...script.matchAll(/(?<![\w-])(?!arc_primer_)([a-z_]\w*)=/g), ...script.matchAll(/\bfor (\w+) in\b/g)];
  const read = [...script.matchAll(/\bread -r ([a-z_ ]+)/g)].flatMap(([, names = ""]) => names.trim().split(" "));
  const names = new Set([...set.map(([, name = ""]) => name), ...read]);
  names.delete("_"); // the shell's own
  return Object.fromEntries([...names].map((name) => [name, `the job's own ${name}`]));
}
