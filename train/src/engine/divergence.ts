/** Stops a run whose numbers are lost: from the first loss or gradient that is not finite, everything after it is too. */
import { KitError } from '@sim2servo/models/error';

/** @param what  'loss' or 'gradient' */
export function checkFinite(value: number, what: string, groups: readonly string[], update: number): void {
  if (Number.isFinite(value)) return;
  throw new KitError(
    'E_DIVERGED',
    `The ${what} of ${groups.join(' and ')} is ${value} in update ${update}.`,
    'Resume from the last checkpoint with a lower learningRate, or look for rewards or observations that are not finite.',
  );
}
