/** A robot's site.json with other servos in it: what would change, in words, and the writing, with the old file kept. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { writeDurably } from '@sim2servo/models/durable-file';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, servosInOrder, shippedRobots } from '@sim2servo/models/robot-folder';
import type { CountedServo } from '@sim2servo/models/site';

/** What calibration knows of a servo. */
const calibrated = ['id', 'zeroCount', 'direction'] as const;

export interface ServoEdit {
  readonly joint: string;
  readonly name: (typeof calibrated)[number];
  readonly from: number;
  readonly to: number;
}

/** @param servos in the order of the joints */
export function editsOf(robot: LoadedRobot, servos: readonly CountedServo[]): ServoEdit[] {
  return servosInOrder(robot.spec, robot.site).flatMap((before, j) => {
    const old = before as CountedServo;
    return calibrated.flatMap(name =>
      old[name] === servos[j]![name] ? [] : [{ joint: old.joint, name, from: old[name], to: servos[j]![name] }],
    );
  });
}

export const editWords = ({ joint, name, from, to }: ServoEdit): string => `  ${joint}: ${name} ${from} → ${to}`;

/**
 * Where a calibration is written: the robot's own folder, or a new one that becomes a copy of it.
 *
 * @throws KitError E_SHIPPED_ROBOT where the kit's own robot would be changed, E_OUT_EXISTS
 */
export function calibrationFolder(robot: LoadedRobot, out: string | undefined): string {
  if (out === undefined) {
    if (!relative(shippedRobots, robot.folder).startsWith('..'))
      throw new KitError(
        'E_SHIPPED_ROBOT',
        `${robot.spec.name} ships with the kit, and a calibration is of one arm`,
        `add --out FOLDER: it becomes a copy of ${robot.spec.name} with your calibration, and your robot from then on`,
        'usage',
      );
    return robot.folder;
  }
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new KitError('E_OUT_EXISTS', `${out} is not empty`, 'name a new folder', 'usage');
  return resolve(out);
}

/** Of a file in a robot folder, where the editor finds the schema of it. */
const schemas = join(shippedRobots, '..', 'schemas');
const asText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** @returns where the old site.json is kept; undefined where there was none */
export function writeSite(robot: LoadedRobot, folder: string, servos: readonly CountedServo[]): string | undefined {
  const copied = folder !== robot.folder;
  if (copied) {
    cpSync(robot.folder, folder, { recursive: true });
    for (const name of ['robot', 'site']) {
      const path = join(folder, `${name}.json`);
      const $schema = relative(folder, join(schemas, `${name}.schema.json`));
      writeFileSync(path, asText({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), $schema }));
    }
  }
  const path = join(folder, 'site.json');
  const before = readFileSync(path, 'utf8');
  const site = JSON.parse(before) as { servos: { joint: string }[] };
  for (const entry of site.servos) {
    const servo = servos.find(({ joint }) => joint === entry.joint);
    if (servo !== undefined) for (const name of calibrated) Object.assign(entry, { [name]: servo[name] });
  }
  const backup = copied ? undefined : `${path}.bak`;
  if (backup !== undefined) writeDurably(backup, before);
  writeDurably(path, asText(site));
  return backup;
}
