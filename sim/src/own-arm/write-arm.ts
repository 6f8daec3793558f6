/** A robot folder from a plan. */
import { dirname, join, resolve } from 'node:path';
import { type LoadedRobot, shippedRobots } from '@sim2servo/models/robot-folder';
import { writeRobotFolder } from '@sim2servo/models/write-robot-folder';
import { MujocoWorld } from '../mujoco-world.js';
import type { ArmPlan } from './arm-plan.js';
import { jsonText, robotJsonOf, sceneFile, siteOf } from './robot-files.js';
import { sceneText } from './scene-text.js';

const schemas = join(dirname(shippedRobots), 'schemas');

/**
 * @returns the robot, and what was assumed on the way to it, in words
 * @throws KitError E_ARM_ANSWERS, E_FILE_SCHEMA, E_SCENE, E_ROBOT_TARGET, E_ROBOT_WRITE; nothing is left behind
 */
export async function writeArm(
  folder: string,
  plan: ArmPlan,
): Promise<{ readonly robot: LoadedRobot; readonly notes: readonly string[] }> {
  const { json, notes } = robotJsonOf(plan);
  const target = resolve(folder);
  const files = new Map([
    ['robot.json', jsonText(json, target, join(schemas, 'robot.schema.json'))],
    ['site.json', jsonText(siteOf(plan), target, join(schemas, 'site.schema.json'))],
    [sceneFile, sceneText(plan)],
  ]);
  const robot = await writeRobotFolder(target, files, async ({ scenePath }) =>
    (await MujocoWorld.load(scenePath)).dispose(),
  );
  return { robot, notes: [...plan.notes, ...notes] };
}
