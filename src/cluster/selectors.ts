import type { LabelSelector, Rule } from "./objects.ts";

/** Whether labels match a selector, by the rules of the API server. An absent or empty selector matches everything. */
export function matchesLabels(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector = {},
  labels: Readonly<Record<string, string>> = {},
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
        default:
          return false; // the API server has no other operators
      }
    })
  );
}

/** Whether a webhook's rules include the creation of pods. */
export function includesPodCreation(rules: readonly Rule[] = []): boolean {
  const has = (list: readonly string[] | undefined, ...words: string[]) => words.some((word) => list?.includes(word));
  return rules.some(
    ({ apiGroups, resources, operations }) =>
      has(apiGroups, "", "*") && has(resources, "pods", "*", "*/*") && has(operations, "CREATE", "*"),
  );
}
