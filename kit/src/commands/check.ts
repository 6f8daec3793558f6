/** `kit check`: whether a robot folder fits together, and whether its arm can do what it says, in simulation. */
import { loadRobot } from '@sim2servo/models/robot-folder';
import type { AddCommand } from '../command-context.js';
import { reportRobot } from '../robot-checks.js';

export const addCheck: AddCommand = (program, context) => {
  program
    .command('check')
    .description(
      'check a robot folder: limits, sizes, bus, fingertip, goals, strength, and a simulated sweep of each joint',
    )
    .argument('<robot>', 'shipped robot or robot folder')
    .action(async (name: string) => {
      const robot = loadRobot(name);
      const { spec, site, folder } = robot;
      await reportRobot(context, robot, {
        notes: [],
        headline: `${spec.name} in ${folder}: ${spec.joints.length} joints on ${site.bus.kind}`,
      });
    });
};
