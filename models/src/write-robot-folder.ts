/** Writes a new robot folder, all of it or nothing, and never over one that is there. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { syncFolder, writeDurably } from './durable-file.js';
import { KitError, messageOf } from './error.js';
import { type LoadedRobot, loadRobot } from './robot-folder.js';

/** @throws KitError E_ROBOT_TARGET */
export function checkRobotTarget(folder: string): void {
  if (existsSync(folder))
    throw new KitError('E_ROBOT_TARGET', `${resolve(folder)} is there already`, 'name a folder that is not', 'usage');
}

/**
 * @param files  by name: robot.json, site.json and the scene
 * @param verify called with the robot where it is not yet under its name; what it throws undoes everything
 * @throws KitError E_ROBOT_TARGET, E_ROBOT_WRITE, and what {@link loadRobot} and `verify` throw
 */
export async function writeRobotFolder(
  folder: string,
  files: ReadonlyMap<string, string>,
  verify: (robot: LoadedRobot) => Promise<void>,
): Promise<LoadedRobot> {
  const target = resolve(folder);
  checkRobotTarget(target);
  const draft = join(dirname(target), `.${basename(target)}.${process.pid}.part`);
  try {
    mkdirSync(draft, { recursive: true });
    for (const [file, text] of files) writeDurably(join(draft, file), text);
    await verify(loadRobot(draft));
    // Somebody may have come meanwhile, and an empty folder would be replaced without a word.
    checkRobotTarget(target);
    renameSync(draft, target);
    syncFolder(dirname(target));
  } catch (error) {
    // Even a forced `rmSync` throws where a folder above is a file, and would hide the error.
    if (existsSync(draft)) rmSync(draft, { recursive: true });
    if (error instanceof KitError) throw error;
    throw new KitError(
      'E_ROBOT_WRITE',
      `can't write ${target}: ${messageOf(error)}`,
      'free some space, or name a folder that you may write',
      'failed',
      { cause: error },
    );
  }
  return loadRobot(target);
}
