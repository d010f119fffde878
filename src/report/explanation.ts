import type { Pod } from "../pod/types.ts";
import type { Account, MutationAccount, Statement } from "./account.ts";
import { evidenceOf } from "./evidence.ts";
import type { Evidence } from "./evidence.ts";

/** Everything that is known about one pod, or about the next pod of a scale set. */
export interface Explanation {
  /** For example `Pod arc-runners/linux-x64-abcde`. */
  readonly subject: string;
  /** What decides before the mutations: the namespace, and the choice of the profile. */
  readonly before: readonly Statement[];
  /** What was done, according to the pod's status. Absent if the pod has no status. */
  readonly done?: Account;
  /** The scripts of arc-primer that the pod contains. */
  readonly evidence: readonly Evidence[];
  /** What would be done if the pod were created now. */
  readonly now: Account;
  /** The differences between `done` and `now`. Empty if there are none; absent if nothing was done. */
  readonly differences?: readonly Statement[];
}

/** The differences between a pod that was primed before and one that is created now. */
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
        say(`${mutation} would be skipped for another reason. ${why?.text ?? ""}`, why),
      ),
    ...(pods.after ? scriptDifferences(evidenceOf(pods.before), evidenceOf(pods.after)) : []),
  ];
}

/** The scripts that both pods have, but with different arguments. */
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
