/**
 * Matches the items of a list after a change to the items before it. Equal items at the start and at the end match. The
 * items between them match by name, as in Kubernetes' lists of containers or variables. If that is not possible, they match
 * by position, if their number is the same.
 *
 * @returns for each item of `after`, its index in `before`; undefined for a new item. The indexes are in ascending order
 */
export function align(before: readonly unknown[], after: readonly unknown[]): (number | undefined)[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && same(before[head], after[head])) head += 1;
  let tail = 0;
  while (tail < shorter - head && same(before.at(-1 - tail), after.at(-1 - tail))) tail += 1;
  const [old, now] = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
  const between = byName(old, now) ?? now.map((_, index) => (old.length === now.length ? index : undefined));
  return after.map((_, index) => {
    if (index < head) return index;
    if (index >= after.length - tail) return index - after.length + before.length;
    const partner = between[index - head];
    return partner === undefined ? undefined : partner + head;
  });
}

/** Matches items by name. Undefined if an item has no name, or if the order of the items differs. */
function byName(before: readonly unknown[], after: readonly unknown[]): (number | undefined)[] | undefined {
  const [old, now] = [before.map(nameOf), after.map(nameOf)];
  if ([...old, ...now].includes(undefined) || new Set(old).size < old.length) return undefined;
  const partners = now.map((name) => (old.includes(name) ? old.indexOf(name) : undefined));
  const found = partners.filter((one) => one !== undefined);
  const isAscending = found.every((one, index) => index === 0 || found[index - 1]! < one);
  return isAscending ? partners : undefined;
}

function nameOf(item: unknown): string | undefined {
  const name = isMapping(item) ? item["name"] : undefined;
  return typeof name === "string" ? name : undefined;
}

/** Whether two values are equal as JSON. `undefined` counts as absent. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((one, index) => same(one, b[index]));
  if (!isMapping(a) || !isMapping(b)) return false;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => same(a[key], b[key]));
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
