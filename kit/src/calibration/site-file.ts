/** A robot's site.json with other servos in it: what would change, in words, and the writing. */
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import type { CountedServo } from '@sim2servo/models/site';
import { rewriteSite } from '../robot-writing.js';

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

/** @returns where the old site.json is kept; undefined where there was none */
export function writeSite(robot: LoadedRobot, folder: string, servos: readonly CountedServo[]): string | undefined {
  return rewriteSite(robot, folder, site => {
    for (const entry of site.servos as { joint: string }[]) {
      const servo = servos.find(({ joint }) => joint === entry.joint);
      if (servo !== undefined) for (const name of calibrated) Object.assign(entry, { [name]: servo[name] });
    }
  });
}
