/** The robot that is installed here and the policy that its store names: what the service and its check have in common. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundle } from '@sim2servo/models/bundle/load-bundle';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, loadRobot } from '@sim2servo/models/robot-folder';
import { choosePolicy } from '@sim2servo/runtime/run-policy';

/** @throws KitError E_NOT_PROVISIONED, and those of loading a robot */
export function installedRobot(folder: string): LoadedRobot {
  if (!existsSync(join(folder, 'robot.json')))
    throw new KitError(
      'E_NOT_PROVISIONED',
      `there is no robot in ${folder}`,
      'run kit provision from the training box, or name the folder with --robot',
      'usage',
    );
  return loadRobot(folder);
}

/** @throws KitError E_POLICY_NONE where nothing was deployed yet; those of loading a bundle */
export function currentPolicy(robot: LoadedRobot, store: string): Bundle {
  try {
    return choosePolicy(robot, store).bundle;
  } catch (error) {
    if (!(error instanceof KitError && error.code === 'E_POLICY_MISSING')) throw error;
    throw new KitError(
      'E_POLICY_NONE',
      `no policy was deployed to ${store} yet`,
      'kit deploy BUNDLE --to this robot',
      'usage',
      { cause: error },
    );
  }
}
