/** The maximum number of concurrent requests. */
const concurrency = 6;

/** Like Promise.all, with limited concurrency. */
export async function mapConcurrently<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = items.map((item, index) => ({ item, index }));
  const worker = async () => {
    for (let next = left.shift(); next; next = left.shift()) results[next.index] = await work(next.item);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return results;
}
