/** Writes a calibration to where it belongs, after asking: homing offsets into servos, zeros into site.json. */
import { join } from 'node:path';
import { writeHomingOffset } from '@sim2servo/firmware-bridge/homing';
import type { ServiceBus } from '@sim2servo/firmware-bridge/service-bus';
import { KitError } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { type CountedServo, servoNames } from '@sim2servo/models/site';
import type { CommandContext } from '../command-context.js';
import { confirm } from '../io.js';
import { editsOf, editWords, type ServoEdit, writeSite } from './site-file.js';
import type { OffsetEdit } from './walk.js';

export interface WrittenCalibration {
  readonly path: string;
  readonly changes: readonly ServoEdit[];
  readonly offsets: readonly object[];
  /** Where the old site.json is kept. */
  readonly backup: string | undefined;
}

export interface Calibration {
  readonly robot: LoadedRobot;
  /** Where its site.json is to be. */
  readonly folder: string;
  /** In the order of the joints. */
  readonly servos: readonly CountedServo[];
  /** What the servos must have for that to be true. */
  readonly offsets: readonly OffsetEdit[];
  /** Only where there are offsets. */
  readonly bus?: ServiceBus;
}

/** Shows what would change, asks, writes: first what belongs into the servos, then site.json, as that is only true of such servos. */
export async function writeCalibration(
  { robot, folder, servos, offsets, bus }: Calibration,
  { io }: CommandContext,
  yes: boolean,
): Promise<WrittenCalibration> {
  const changes = editsOf(robot, servos);
  const path = join(folder, 'site.json');
  const inServos = offsets.map(({ servo: { id, joint }, from, to }) => ({ id, joint, name: 'homingOffset', from, to }));
  const result = { path, changes, offsets: inServos, backup: undefined };
  if (changes.length + offsets.length === 0 && folder === robot.folder) return result;
  const words = [
    ...(offsets.length === 0 ? [] : ['About to write into the memory of the servos:']),
    ...inServos.map(({ id, joint, from, to }) => `  servo ${id} (${joint}): homing offset ${from} → ${to}`),
    `About to write ${path}:`,
    ...(changes.length === 0 ? ['  no figure changes'] : changes.map(editWords)),
  ];
  await confirm(io, `\n${words.join('\n')}`, yes);
  for (const { servo } of offsets)
    if ((await bus!.sample(servo.id))?.torque !== false)
      throw new KitError(
        'E_SERVO_TORQUE',
        `the torque of ${servoNames(servo)} is on, and a servo's memory is only written without`,
        'support the arm and let it go limp first; nothing was written',
        'safetyStop',
      );
  for (const { servo, to } of offsets) await writeHomingOffset(bus!, servo.id, to);
  return { ...result, backup: writeSite(robot, folder, servos) };
}

export function writtenWords({ path, changes, backup }: WrittenCalibration, short: readonly string[]): string[] {
  return [
    ...changes.map(editWords),
    `${path} is ${changes.length === 0 ? 'as it was' : 'written'}${backup === undefined ? '' : `; the old one is ${backup}`}`,
    ...short.map(words => `mind: ${words}; narrow it there before the arm is run`),
  ];
}
