/**
 * The known name that a user most likely meant: the one with the fewest typing errors, if these are few for the length of
 * the name. Ignores case.
 *
 * @returns undefined if no known name is similar
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(name.length / 3));
  const [first] = known
    .map((candidate) => ({ candidate, mistakes: mistakesBetween(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, mistakes }) => mistakes <= most && mistakes < candidate.length)
    .toSorted((a, b) => a.mistakes - b.mistakes);
  return first?.candidate;
}

/** The number of missing, extra, wrong and swapped characters (optimal string alignment distance). */
function mistakesBetween(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const wrong = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : wrong;
      row.push(Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, wrong, swapped));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
