/** What a person is told of an arm after its run: whether it holds. It may be limp in part, so nothing is said that was not confirmed. */
import { holdFailed, type SilentBus } from '@sim2servo/firmware-bridge/silence';
import { KitError } from '@sim2servo/models/error';
import type { LoopEnd } from './loop-report.js';

export function holdWords({ haltError }: Pick<LoopEnd, 'haltError'>, bus: SilentBus): string {
  return haltError === undefined ? 'the arm was told to hold, and holds' : holdFailed(haltError, bus);
}

/** What a run that was stopped for safety ends with, once the device was told to hold. */
export function stopError({ reason, haltError }: Pick<LoopEnd, 'reason' | 'haltError'>): KitError {
  const message =
    haltError === undefined
      ? `the arm was stopped and holds: ${reason}`
      : `the arm was stopped: ${reason}; the hold failed: ${haltError}`;
  return new KitError(
    'E_SAFETY_STOP',
    message,
    'find the cause, see that the arm is free, then run again',
    'safetyStop',
  );
}
