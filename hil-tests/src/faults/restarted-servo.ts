/** A servo that loses its supply for an instant, whatever its protocol: it comes back without torque. */
import type { AnyServo } from '../rig/bus/create-bus.js';
import { type Fault, nothingToClear } from './fault.js';
import type { ServoBusUnderTest } from './servo-bus-under-test.js';
import { stale } from './wire-faults.js';

/** @param noticed what the loop says of one that is back before it is missed */
export function restartedServo(noticed: RegExp): readonly Fault<ServoBusUnderTest<AnyServo>>[] {
  return [
    { silentMs: 5, reason: noticed },
    { silentMs: 200, reason: stale },
  ].map(({ silentMs, reason }) => ({
    row: 'servo rebooted',
    name: `a servo is reset for ${silentMs} ms`,
    expected: 'stops',
    reason,
    limp: 0,
    begin: ({ arm }) => arm.servoBus.servos[0]!.restart(silentMs / 1000),
    clear: nothingToClear,
  }));
}
