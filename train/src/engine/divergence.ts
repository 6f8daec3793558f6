/** Stops a run whose numbers are lost: from the first loss or gradient that is not finite, everything after it is too. */
import { KitError } from '@sim2servo/models/error';

/** In words: the first array that holds a number that is not finite, and which; where all are finite, the largest number there is. */
export function suspectTensor(arrays: Iterable<readonly [name: string, values: Float32Array]>): string {
  let [largest, where] = [0, ''];
  for (const [name, values] of arrays) {
    for (const [i, value] of values.entries()) {
      if (!Number.isFinite(value)) return `The first tensor that is not finite: ${name}[${i}] is ${value}.`;
      if (Math.abs(value) > largest) [largest, where] = [Math.abs(value), `${name}[${i}]`];
    }
  }
  return `All tensors between the operations are finite; the largest number is ${largest}, in ${where}.`;
}

/** @param what  'loss' or 'gradient' */
export function checkFinite(value: number, what: string, groups: readonly string[], update: number): void {
  if (Number.isFinite(value)) return;
  throw new KitError(
    'E_DIVERGED',
    `The ${what} of ${groups.join(' and ')} is ${value} in update ${update}.`,
    'Resume from the last checkpoint with a lower learningRate, or look for rewards or observations that are not finite.',
  );
}
