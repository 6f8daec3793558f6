/** Whether a bridge can sample its bus at a rate: a host relies on the rate that it is told, and a command has to count until the next sample. */
import { type BusCycle, checkControlRate } from '@sim2servo/models/bus-cycle';
import { KitError } from '@sim2servo/models/error';

/**
 * @param cycle of the bus; undefined where it streams by itself, at its own rate
 * @throws KitError E_RATE_BUS, E_RATE_DEADLINE
 */
export function checkSampleRate(
  cycle: BusCycle | undefined,
  { sampleHz, deadlineMs }: { readonly sampleHz: number; readonly deadlineMs: number },
): void {
  if (cycle === undefined) return;
  checkControlRate(cycle, sampleHz);
  const periodMs = 1000 / sampleHz;
  if (periodMs < deadlineMs) return;
  throw new KitError(
    'E_RATE_DEADLINE',
    `${sampleHz} samples a second are ${periodMs.toFixed(0)} ms apart, and a command counts for ${deadlineMs} ms after its sample: none would last until the next`,
    `take a --rate of more than ${Math.ceil(1000 / deadlineMs)}, or a longer --deadline`,
    'usage',
  );
}
