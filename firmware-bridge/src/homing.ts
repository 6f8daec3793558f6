/**
 * The homing offset in a servo's memory: which of its positions is called which count. Whoever put the horn on askew has a joint whose
 * range runs over the end of the turn; the offset turns the count, so that the horn may stay.
 */
import { KitError } from '@sim2servo/models/error';
import { countsPerTurn } from '@sim2servo/models/site';
import type { ServiceBus } from './service-bus.js';

/** The largest offset of an STS3215: eleven bits, and a sign. */
const maxOffset = 2047;

/**
 * In position mode a Dynamixel ignores a larger one.
 *
 * @see ROBOTIS e-Manual, XL430-W250, "Homing Offset(20)"
 */
export const maxDynamixelOffset = 1024;

/**
 * The offset with which a Feetech servo that says `present` now says `wanted`: it reports actual − offset, within its turn.
 *
 * @param offset as it is now
 */
export function offsetFor(offset: number, present: number, wanted: number): number {
  const turned = ((offset + present - wanted + 2.5 * countsPerTurn) % countsPerTurn) - countsPerTurn / 2;
  return Math.max(-maxOffset, Math.min(maxOffset, turned));
}

/** Counts from `from` to `to` the short way round: what a joint turned between two looks. */
export function turnedCounts(from: number, to: number): number {
  return ((to - from + 1.5 * countsPerTurn) % countsPerTurn) - countsPerTurn / 2;
}

/** Writes a Feetech servo's offset, and looks whether it has it. Without torque. @throws KitError E_SERVO_WRITE */
export async function writeHomingOffset(bus: ServiceBus, id: number, offset: number): Promise<void> {
  await bus.write(id, 'homingOffset', offset);
  await bus.lock(id);
  const memory = await bus.memory(id);
  if (memory?.homingOffset === offset) return;
  throw new KitError(
    'E_SERVO_WRITE',
    `servo ${id} did not take the homing offset ${offset}: ${memory === undefined ? 'it does not answer' : `it has ${memory.homingOffset}`}`,
    'check cable and supply, then calibrate again: what was written so far stands in the servos',
    'failed',
  );
}
