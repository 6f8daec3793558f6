/**
 * A process of another container can't be looked at. So whoever drives, or deploys, touches the file that names it now and then, and is
 * believed to go on for a while after. That asks the machine's clock: where somebody has set it, until the next beat.
 */
import { lstatSync, lutimesSync } from 'node:fs';

export const beatMs = 6_000;
/** What was touched so long ago belongs to nobody any more. */
export const believedMs = 60_000;

/** A link itself, not what it names. */
export function beat(path: string): void {
  const now = new Date();
  try {
    lutimesSync(path, now, now);
  } catch {
    // Of a disk that takes nothing any more its owner is told where something has to be written.
  }
}

/** Whether it was made, or touched, a short while ago. A time ahead of the clock says no more than an old one. */
export function hasBeaten(path: string, withinMs = believedMs): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && Math.abs(Date.now() - found.mtimeMs) < withinMs;
}
