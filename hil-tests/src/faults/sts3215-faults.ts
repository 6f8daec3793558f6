/** What can go wrong with an STS3215, beside what can on any wire (wire-faults.ts). */
import type { Sts3215 } from '../rig/bus/sts3215.js';
import type { Fault } from './fault.js';
import { restartedServo } from './restarted-servo.js';
import type { ServoBusUnderTest } from './servo-bus-under-test.js';
import { always, bytes, spoil } from './wire-faults.js';

/** Another id, with a sum that is right for it. */
const wrongId = bytes(all => [...all.subarray(0, 2), all[2]! + 8, ...all.subarray(3, -1), (all.at(-1)! - 8) & 0xff]);

/** What a servo complains of. Where its own protection takes its torque away, it is limp from then on. */
function strained(
  name: string,
  servo: number,
  strain: Partial<Sts3215['strain']>,
  reason: RegExp,
  protects: boolean,
): Fault<ServoBusUnderTest<Sts3215>> {
  const healthy: Partial<Sts3215['strain']> = {};
  return {
    row: 'voltage, heat, overload',
    name,
    expected: 'stops',
    reason,
    ...(protects && { limp: servo }),
    begin({ arm }) {
      const { servos } = arm.servoBus;
      Object.assign(healthy, servos[servo]!.strain);
      Object.assign(servos[servo]!.strain, strain);
    },
    clear: ({ arm }) => void Object.assign(arm.servoBus.servos[servo]!.strain, healthy),
  };
}

export const sts3215Faults: readonly Fault<ServoBusUnderTest<Sts3215>>[] = [
  spoil('wrong id', 'replies with the id of another servo', 'stops', always, wrongId),
  ...restartedServo(/servo 1 of joint '.*' has lost its torque/),
  strained('the supply is too low', 1, { voltage: 30 }, /supply voltage is out of its limits/, false),
  strained('a servo is too hot', 1, { temperature: 80 }, /servo 2 of joint '.*': it is too hot/, true),
  strained('a servo is overloaded', 0, { overload: true }, /it is overloaded/, true),
  strained("a servo's current is too high", 0, { current: 600 }, /its current is too high/, true),
  strained("a servo's position sensor fails", 0, { sensor: true }, /its position sensor fails/, false),
];
