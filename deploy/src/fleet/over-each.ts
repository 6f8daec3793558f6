/**
 * Takes the items in their order, so many at once, for as long as it `goesOn` and nothing was thrown; those that were begun are waited for.
 *
 * @throws what `work` has thrown first
 */
export async function overEach<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
  goesOn: () => boolean = () => true,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const thrown: unknown[] = [];
  const worker = async () => {
    for (const item of left) {
      if (thrown.length > 0 || !goesOn()) return;
      await work(item).catch(error => void thrown.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  if (thrown.length > 0) throw thrown[0];
}
