/** Whether a joint reaches the range that robot.json gives it: a range beyond a stop would have the servo press against it. */
import type { RobotSpec } from '@sim2servo/models/robot-spec';

export type Range = readonly [number, number];
type Joint = RobotSpec['joints'][number];

/** A hand does not turn to the very end, and a horn has some play. */
const toleranceRad = 0.05;
const reaches = (reached: Range, [low, high]: Range) =>
  reached[0] <= low + toleranceRad && reached[1] >= high - toleranceRad;

export const rangeWords = ([low, high]: Range): string => `${low.toFixed(2)} … ${high.toFixed(2)}`;

/** @param reached rad. @returns what is wrong, in words; undefined where the joint reaches all of its range */
export function shortOfRange({ name, range }: Joint, reached: Range): string | undefined {
  if (reaches(reached, range)) return undefined;
  const mirrored = reaches([-reached[1], -reached[0]], range);
  return (
    `${name} went ${rangeWords(reached)} rad, and its range in robot.json is ${rangeWords(range)}` +
    (mirrored ? ': the other way round it would fit, so its direction in site.json is wrong' : '')
  );
}
