/** `kit deploy`: a bundle becomes the robot's current policy, or nothing changes. */

import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { expectationOf } from '@sim2servo/models/bundle/signed-manifest';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { deployToFolder } from '@sim2servo/runtime/releases/deploy-to-folder';
import type { AddCommand } from '../command-context.js';

export const addDeploy: AddCommand = (program, context) => {
  program
    .command('deploy')
    .description('verify a bundle, copy it to the robot, test it there, switch to it')
    .argument('<bundle>', 'folder that kit export wrote')
    .requiredOption('--to <folder>', "the robot's release store")
    .option('--robot <name>', 'check the bundle against this robot, and its trusted keys')
    .action(async (bundle: string, options: { to: string; robot?: string }) => {
      const robot = options.robot === undefined ? undefined : loadRobot(options.robot);
      const deployment = await deployToFolder(bundle, options.to, robot === undefined ? {} : expectationOf(robot));
      const { manifest } = loadBundle(deployment.release);
      context.result(deployment, () =>
        [
          `deployed ${deployment.digest.slice(0, 12)}… to ${deployment.release}`,
          `self-test there: golden vectors within ${deployment.goldenMaxError.toExponential(1)}, inference p99 ${deployment.inferUs.p99.toFixed(0)} µs`,
          deployment.previous === undefined
            ? 'it is the first policy there'
            : `the one before, ${deployment.previous.slice(0, 12)}…, is kept as 'previous'`,
          `next: kit run --robot ${manifest.robot.name} --policy ${options.to} --port PATH`,
        ].join('\n'),
      );
    });
};
