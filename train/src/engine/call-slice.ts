/** Batch or noise of one update out of those of a call, which lie one after the other. */

/** Views of the arrays' part that belongs to update number `index` of `updatesPerCall`. */
export function sliceOfCall(
  arrays: Readonly<Record<string, Float32Array>>,
  index: number,
  updatesPerCall: number,
): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, values]) => {
      const length = values.length / updatesPerCall;
      return [name, values.subarray(index * length, (index + 1) * length)];
    }),
  );
}
