/** A policy on a rig, as `kit run` would run it: verified, shielded, recorded. */
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { type RunOptions, type RunReport, runPolicy } from '@sim2servo/runtime/run-policy';
import { openRig } from './open-rig.js';
import type { RigOptions } from './rig.js';

export interface RigRunOptions extends RigOptions, Omit<RunOptions, 'link' | 'clock' | 'virtualTime'> {
  /** One of `rigNames`, or `serial:PATH`. */
  readonly rig: string;
  readonly robot: LoadedRobot;
}

export async function runOnRig({ rig: name, variation, seed, ...run }: RigRunOptions): Promise<RunReport> {
  const options = { ...(variation !== undefined && { variation }), ...(seed !== undefined && { seed }) };
  const rig = await openRig(name, run.robot, options);
  try {
    return await runPolicy({ ...run, link: rig.connect(), clock: rig.clock, virtualTime: rig.virtualTime });
  } finally {
    await rig.close();
  }
}
