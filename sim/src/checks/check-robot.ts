/** Everything about a robot folder that can be checked without hardware, as a list. */
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { MujocoWorld } from '../mujoco-world.js';
import { sweepJoints } from './joint-sweep.js';
import type { RobotCheck } from './robot-check.js';
import { fingertipCheck, goalsCheck, limitsCheck, sizesCheck, speedsCheck, strengthCheck } from './still-checks.js';

export interface CheckOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (what: string) => void;
}

/** @throws KitError E_SCENE, E_SCENE_NAME, E_SCENE_NUMERIC, E_SITE_JOINT, where there is nothing to simulate with */
export async function checkRobot(robot: LoadedRobot, { signal, onProgress }: CheckOptions = {}): Promise<RobotCheck[]> {
  const world = await MujocoWorld.load(robot.scenePath);
  const checks = [sizesCheck(robot)];
  try {
    onProgress?.('limits, speeds, fingertip, goals, strength');
    checks.push(limitsCheck(robot, world), speedsCheck(robot, world), fingertipCheck(robot, world));
    checks.push(goalsCheck(robot), strengthCheck(robot, world));
  } finally {
    world.dispose();
  }
  const onJoint = (name: string) => onProgress?.(`sweep of ${name}`);
  checks.push(...(await sweepJoints(robot, { onJoint, ...(signal && { signal }) })));
  return checks;
}
