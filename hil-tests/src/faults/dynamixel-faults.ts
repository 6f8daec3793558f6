/** What can go wrong with a Dynamixel, beside what can on any wire (wire-faults.ts). */
import { encodeStatus } from '@sim2servo/firmware-bridge/dynamixel/packet';
import type { DynamixelServo } from '../rig/bus/dynamixel/dynamixel-servo.js';
import type { Fault } from './fault.js';
import { restartedServo } from './restarted-servo.js';
import type { ServoBusUnderTest } from './servo-bus-under-test.js';
import { always, bytes, spoil } from './wire-faults.js';

/** Bits of the hardware error status. Where a servo's shutdown register names them, it is limp from then on. */
function hardwareError(
  name: string,
  servo: number,
  bits: number,
  reason: RegExp,
  protects: boolean,
): Fault<ServoBusUnderTest<DynamixelServo>> {
  return {
    row: 'voltage, heat, overload',
    name,
    expected: 'stops',
    reason,
    ...(protects && { limp: servo }),
    begin: ({ arm }) => arm.servoBus.servos[servo]!.fault(bits),
    clear: ({ arm }) => void arm.servoBus.servos[servo]!.table.set('hardwareErrorStatus', 0),
  };
}

export const dynamixelFaults: readonly Fault<ServoBusUnderTest<DynamixelServo>>[] = [
  spoil(
    'wrong id',
    'answers of a servo that was not asked',
    'stops',
    always,
    bytes(() => encodeStatus(77, 0, new Uint8Array(16))),
  ),
  ...restartedServo(/went limp by itself: servo 1 of joint '.*' was reset/),
  hardwareError('a servo is overloaded', 1, 0x20, /servo 2 of joint '.*' reports: it is overloaded/, true),
  hardwareError('a servo is too hot', 0, 0x04, /servo 1 of joint '.*' reports: it is too hot/, true),
  hardwareError('the supply voltage is out of its limits', 0, 0x01, /servo 1 of joint '.*' reports: /, false),
  hardwareError("a servo's electronics got a shock", 0, 0x10, /a shock, or too little power/, true),
  hardwareError("a servo's encoder fails", 1, 0x08, /its encoder fails/, false),
];
