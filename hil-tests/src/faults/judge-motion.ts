/** What the joints did, read from where they truly were: pure functions of a trace. */
import type { Pose } from './arm-under-test.js';

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

/** The furthest that a joint of those was, from `fromUs` on, from where it stood then, rad. */
export function movedRad(trace: readonly Pose[], joints: readonly number[], fromUs: number): number {
  const after = trace.filter(({ timeUs }) => timeUs >= fromUs);
  const start = after[0]?.anglesRad ?? [];
  return Math.max(0, ...after.flatMap(({ anglesRad }) => joints.map(j => Math.abs(anglesRad[j]! - start[j]!))));
}

/** The furthest that any joint was from everywhere that it was told to be, rad: from where it stood to where its targets went. */
export function astrayRad(
  trace: readonly Pose[],
  told: readonly { readonly timeUs: number; readonly targetsRad: readonly number[] }[],
): number {
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
