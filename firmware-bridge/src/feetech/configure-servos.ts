/** Writes into the memories of a robot's servos what they need, after saying what that is. Only ever on an explicit wish. */
import { KitError } from '@sim2servo/models/error';
import { type CountedServo, servoNames } from '@sim2servo/models/site';
import { registerBytes, sts3215 } from './registers.js';
import type { ServoBus } from './servo-bus.js';
import { type MemoryChange, memoryOf, readMemory, wantedMemory } from './servo-memory.js';

/** A change to one servo's memory. */
export interface ServoChange extends MemoryChange {
  readonly servo: CountedServo;
  /** The servo's place among those of the bus. */
  readonly place: number;
}

/** Says of the changes whether they are to be written. */
export type Permit = (changes: readonly ServoChange[]) => Promise<boolean> | boolean;

/**
 * @param ranges [servos] counts of the joint's range
 * @returns what had to be changed
 * @throws KitError E_SERVO_TORQUE where a servo is not limp, E_SERVO_WRITE, E_NO_ANSWER, E_SERVO_MISSING, E_SERVO_MODEL
 */
export async function configureServos(
  bus: ServoBus,
  servos: readonly CountedServo[],
  ranges: readonly (readonly [number, number])[],
  permit: Permit,
): Promise<readonly ServoChange[]> {
  const memory = await readMemory(bus, servos);
  const changes = servos.flatMap((servo, place) =>
    wantedMemory(ranges[place]!, memoryOf(memory, place)).map(change => ({ servo, place, ...change })),
  );
  if (changes.length === 0 || !(await permit(changes))) return changes;
  const torque = bus.block(sts3215.torqueEnable.address, sts3215.torqueEnable.bytes);
  const answered = await bus.read(torque);
  const powered = servos.filter((_, i) => !answered || torque.data[i] !== 0);
  if (powered.length > 0)
    throw new KitError(
      'E_SERVO_TORQUE',
      `the torque of ${servoNames(...powered)} is on, and a servo's memory is only written without`,
      'support the arm and let it go limp first',
      'safetyStop',
    );
  for (const change of changes) await keep(bus, servos.length, change);
  return changes;
}

/** Unlocks, writes, locks, and reads back. */
async function keep(bus: ServoBus, servos: number, { servo, place, register, name, to }: ServoChange): Promise<void> {
  const bytes = registerBytes(register, to);
  const back = new Uint8Array(servos * register.bytes);
  // A servo that acknowledges no write still does it: what counts is what it has afterwards.
  await bus.writeOne(place, sts3215.lock.address, Uint8Array.of(0));
  await bus.writeOne(place, register.address, bytes);
  await bus.writeOne(place, sts3215.lock.address, Uint8Array.of(1));
  const read = await bus.readOne(place, register.address, register.bytes, back);
  if (read && bytes.every((byte, k) => back[place * register.bytes + k] === byte)) return;
  throw new KitError(
    'E_SERVO_WRITE',
    `${servoNames(servo)} did not take ${name} = ${to}`,
    'try again; if it stays so the servo is damaged',
    'failed',
  );
}
