/** A policy on the real firmware image in virtual time: what latency has no part in, faster than real time. */
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { KitLink } from '@sim2servo/firmware-bridge/kitlink/kitlink';
import type { Random } from '@sim2servo/models/random';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { GoalSource } from '@sim2servo/runtime/goal-source';
import { type RunReport, runPolicy } from '@sim2servo/runtime/run-policy';
import type { ArmVariation } from '@sim2servo/sim/arm-variation';
import { ArmOnBoard } from './arm-on-board.js';

import { Lockstep } from './lockstep.js';

export interface LockstepRunOptions {
  readonly robot: LoadedRobot;
  readonly policyDir: string;
  readonly goals: GoalSource;
  readonly variation?: ArmVariation;
  readonly seed?: number;
  readonly seconds?: number;
  readonly logPath?: string;
  readonly exploration?: { readonly sigma: number; readonly random: Random };
  readonly signal?: AbortSignal;
}

export async function runInLockstep(options: LockstepRunOptions): Promise<RunReport> {
  const { robot, variation, seed, ...run } = options;
  const device = await ArmOnBoard.create({
    robot,
    imagePath: firmwareImage,
    ...(variation !== undefined && { variation }),
    ...(seed !== undefined && { seed }),
  });
  const clock = new Lockstep(device);
  const link = new KitLink({ open: async () => clock.open(), clock, spec: robot.spec, site: robot.site });
  try {
    return await runPolicy({ ...run, robot, link, clock, virtualTime: true });
  } finally {
    device.arm.dispose();
  }
}
