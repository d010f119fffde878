import type { Pod } from "../pod/types.ts";
import type { Account, MutationAccount, Statement } from "./account.ts";
import { evidenceOf } from "./evidence.ts";
import type { Evidence } from "./evidence.ts";

/** What is known of one pod, or of the next pod of a scale set. */
export interface Explanation {
  /** `Pod arc-runners/linux-x64-abcde` */
  readonly subject: string;
  /** What decides before the webhook is asked: the namespace, the choice of the profile. */
  readonly before: readonly Statement[];
  /** By the pod's own status; absent where it has none. */
  readonly done?: Account;
  /** What the pod shows of it. */
  readonly evidence: readonly Evidence[];
  /** What would be done to such a pod now. */
  readonly now: Account;
  /** How that differs from what was done; empty where it does not, absent where nothing was done. */
  readonly differences?: readonly Statement[];
}

/** How a pod that is created now would come out otherwise than one that was primed before. */
export function differencesOf(
  done: Account,
  now: Account,
  pods: { readonly before: Pod; readonly after: Pod | undefined },
): Statement[] {
  if (now.profile === undefined)
    return now.general.map(({ text, ...more }) => ({ ...more, text: `It would be left unchanged. ${text}` }));
  const say = (text: string, from?: Statement): Statement => ({ ...from, text });
  const names = (list: readonly MutationAccount[]) => list.map(({ mutation }) => mutation);
  const [was, is] = [names(done.applied), names(now.applied)];
  const first = (list: readonly MutationAccount[], name: string) =>
    list.find(({ mutation }) => mutation === name)?.said[0];
  return [
    ...(done.profile === now.profile ? [] : [say(`The profile would be ${now.profile}, not ${done.profile}.`)]),
    ...now.applied
      .filter(({ mutation }) => !was.includes(mutation))
      .map(({ mutation, said: [why] }) => say(`${mutation} would be applied. ${why?.text ?? ""}`, why)),
    ...done.applied
      .filter(({ mutation }) => !is.includes(mutation))
      .map(({ mutation }) => {
        const why = first([...now.skipped, ...now.notConfigured], mutation);
        return say(`${mutation} would not be applied. ${why?.text ?? ""}`.trim(), why);
      }),
    ...now.skipped
      .filter(({ mutation, said: [why] }) => {
        const before = first(done.skipped, mutation);
        return before !== undefined && before.code !== why?.code;
      })
      .map(({ mutation, said: [why] }) =>
        say(`${mutation} would be left out for another reason. ${why?.text ?? ""}`, why),
      ),
    ...(pods.after ? scriptDifferences(evidenceOf(pods.before), evidenceOf(pods.after)) : []),
  ];
}

/** Scripts that both have, and that would be told something else. */
function scriptDifferences(before: readonly Evidence[], after: readonly Evidence[]): Statement[] {
  return before.flatMap(({ container, script, words }) => {
    const now = after.find((one) => one.container === container && one.script === script);
    const [gone, added] = [
      words.filter((word) => !now?.words.includes(word)),
      now?.words.filter((word) => !words.includes(word)) ?? [],
    ];
    if (!now || gone.length + added.length === 0) return [];
    const [old, fresh] = [gone.join(" "), added.join(" ")];
    const change = !fresh ? `no longer get ${old}` : old ? `get ${fresh} instead of ${old}` : `also get ${fresh}`;
    const text = `${script} in the container ${container} would ${change}.`;
    return [{ text }];
  });
}
