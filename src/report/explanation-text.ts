import type { Account, MutationAccount, Setting, Statement } from "./account.ts";
import type { Evidence } from "./evidence.ts";
import type { Explanation } from "./explanation.ts";

const width = 100;

/** An explanation as text: short paragraphs, with the setting that decides below each sentence. */
export function explanationText(explanation: Explanation): string {
  const { subject, before, done, evidence, now, differences } = explanation;
  const blocks = [
    [subject],
    before.flatMap((one) => lines(one, 2)),
    ...(done ? doneBlocks(done) : []),
    ...(done && evidence.length > 0 ? [["In the pod:"], evidence.flatMap(evidenceLines)] : []),
    ...(done ? differenceBlocks(differences ?? []) : nowBlocks(now)),
    notConfigured(now),
  ];
  return blocks
    .map((block) => block.flat())
    .filter((block) => block.length > 0)
    .map((block) => `${block.join("\n")}\n`)
    .join("\n");
}

function evidenceLines({ container, script, words, bundles = [] }: Evidence): string[] {
  return [
    wrap(`container ${container}: ${[script, ...words].join(" ")}`, 2),
    ...bundles.flatMap(({ architecture, sha256, url, built, age, packages = [] }) => [
      wrap(`offered a package bundle for ${architecture}: ${url} (SHA-256 ${sha256})`, 4),
      built === undefined
        ? wrap("The index of bundles no longer lists it, or cannot be read.", 4)
        : wrap(`It was built ${age ?? ""} ago, on ${built}, with ${packages.join(", ") || "no packages"}.`, 4),
    ]),
  ];
}

function doneBlocks(done: Account): string[][] {
  const head = `When the pod was created, arc-primer ${done.version ?? ""} primed it with the profile ${done.profile ?? ""}, according to its annotation arc-primer.dev/status.`;
  return [
    [wrap(head, 0)],
    done.general.flatMap((one) => lines(one, 2)),
    ...mutationBlocks(done, "What was done:", "What was not done:"),
  ];
}

function nowBlocks(now: Account): string[][] {
  const blocks = mutationBlocks(now, "What would be done:", "What would not be done:");
  const nothing = now.profile === undefined ? "It would be left unchanged:" : "";
  return [...(nothing ? [[nothing]] : []), now.general.flatMap((one) => lines(one, 2)), ...blocks];
}

function mutationBlocks(account: Account, applied: string, skipped: string): string[][] {
  const block = (title: string, list: readonly MutationAccount[]) => [
    ...(list.length > 0 ? [[title]] : []),
    ...list.map(({ mutation, said }) => [`  ${mutation}`, ...said.flatMap((one) => lines(one, 4))]),
  ];
  return [...block(applied, account.applied), ...block(skipped, account.skipped)];
}

function differenceBlocks(differences: readonly Statement[]): string[][] {
  if (differences.length === 0) return [["A pod that is created now would be primed in the same way."]];
  return [["A pod that is created now would differ:"], ...differences.map((one) => lines(one, 2))];
}

function notConfigured({ profile = "", notConfigured: list }: Account): string[] {
  if (list.length === 0) return [];
  const prefix = `profiles.${profile}.`;
  const each = list.map(({ mutation, said: [one] }) => `${mutation} (${one?.setting?.name.replace(prefix, "") ?? ""})`);
  return [`Not configured in the profile ${profile}, each with its setting:`, wrap(each.join(", "), 2)];
}

/** A statement and its setting, indented. */
function lines({ text, code, setting }: Statement, indent: number): string[] {
  const sentence = code === undefined ? text : `${text} (${code})`;
  return [wrap(sentence, indent), ...(setting ? [wrap(`Setting: ${settingText(setting)}`, indent)] : [])];
}

function settingText({ where, name, value }: Setting): string {
  const shown = value === undefined ? name : `${name} (${value})`;
  switch (where) {
    case "pod":
      return `${shown}, in the pod or its template`;
    case "namespace":
      return `${shown}, a label of the namespace`;
    case "registration":
      return `${shown} of the MutatingWebhookConfiguration`;
    default:
      return shown;
  }
}

function wrap(text: string, indent: number): string {
  const wrapped: string[] = [];
  for (const word of text.split(" ")) {
    const last = wrapped.at(-1);
    if (last === undefined || last.length + word.length + 1 > width - indent) wrapped.push(word);
    else wrapped[wrapped.length - 1] = `${last} ${word}`;
  }
  return wrapped.map((line) => " ".repeat(indent) + line).join("\n");
}
