/** What the joints did, read from where they truly were: pure functions of a trace. */
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { Pose } from './arm-under-test.js';

/** What the loop told the arm in a tick. */
export interface Told {
  readonly timeUs: number;
  readonly targetsRad: readonly number[];
}

/**
 * A joint may be told to move by what it does in this time at its greatest speed while nobody knows where it is: 0.24 rad at 3 rad/s. Not
 * what the runtime goes by (frozen-sensors.ts): that is judged by this.
 */
const blindS = 0.08;

/** A joint that stands seems to move by less than this in {@link spanUs}: the rest of a swing in the arm's backlash, and gravity. */
const stillRad = 0.0123;
const spanUs = 20_000;

/** When a joint of those was last seen to move between two instants; `fromUs` where none was. */
export function lastMotionUs(trace: readonly Pose[], joints: readonly number[], fromUs: number, toUs: number): number {
  let before = trace.length - 1;
  for (let i = trace.length - 1; i >= 0; i--) {
    const { timeUs, anglesRad } = trace[i]!;
    if (timeUs > toUs) continue;
    const sinceUs = timeUs - spanUs;
    if (sinceUs < fromUs - spanUs) break;
    while (before >= 0 && trace[before]!.timeUs > sinceUs) before--;
    const earlier = trace[before]?.anglesRad;
    if (earlier === undefined) break;
    if (joints.some(j => Math.abs(anglesRad[j]! - earlier[j]!) > stillRad))
      return Math.max(fromUs, timeUs - spanUs / 2);
  }
  return fromUs;
}

/** The furthest that a joint of those was, between two instants, from where it stood at the first, rad. */
export function movedRad(
  trace: readonly Pose[],
  joints: readonly number[],
  fromUs: number,
  toUs = Number.POSITIVE_INFINITY,
): number {
  const after = trace.filter(({ timeUs }) => timeUs >= fromUs && timeUs <= toUs);
  const start = after[0]?.anglesRad ?? [];
  return Math.max(0, ...after.flatMap(({ anglesRad }) => joints.map(j => Math.abs(anglesRad[j]! - start[j]!))));
}

/** The furthest that any joint was from everywhere that it was told to be, rad: from where it stood to where its targets went. */
export function astrayRad(trace: readonly Pose[], told: readonly Told[]): number {
  const fromUs = told[0]?.timeUs ?? Number.POSITIVE_INFINITY;
  const seen = trace.filter(({ timeUs }) => timeUs >= fromUs);
  if (seen.length === 0) return 0;
  return Math.max(
    ...seen[0]!.anglesRad.map((start, j) => {
      const targets = told.map(({ targetsRad }) => targetsRad[j]!);
      const low = Math.min(start, ...targets);
      const high = Math.max(start, ...targets);
      return Math.max(...seen.map(({ anglesRad }) => Math.max(low - anglesRad[j]!, anglesRad[j]! - high, 0)));
    }),
  );
}

/** When some joint had been told to move, since `fromUs`, further than it may go blind; where none had, when the last was told anything. */
export function blindUs({ joints }: RobotSpec, told: readonly Told[], fromUs: number): number {
  const since = told.filter(({ timeUs }) => timeUs >= fromUs);
  const low = [...(since[0]?.targetsRad ?? [])];
  const high = [...low];
  for (const { timeUs, targetsRad } of since)
    for (const [j, target] of targetsRad.entries()) {
      low[j] = Math.min(low[j]!, target);
      high[j] = Math.max(high[j]!, target);
      if (high[j]! - low[j]! > blindS * joints[j]!.maxVelocity) return timeUs;
    }
  // Somebody noticed in the tick after that.
  return told.at(-1)?.timeUs ?? Number.NaN;
}
