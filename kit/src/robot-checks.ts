/** The checks of a robot folder, those of its bus among them, as a list for people and programs. */
import { plannedCycle } from '@sim2servo/firmware-bridge/planned-cycle';
import { checkControlRate, cycleAt, cycleUs, highestRateHz } from '@sim2servo/models/bus-cycle';
import { KitError } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { checkRobot } from '@sim2servo/sim/checks/check-robot';
import type { RobotCheck } from '@sim2servo/sim/checks/robot-check';
import { checkLine } from './check-line.js';
import type { CommandContext } from './command-context.js';
import { ProgressLine } from './progress-line.js';

/** What `kit train` trains for unless it is told otherwise. */
const usualRateHz = 50;

function busCheck(robot: LoadedRobot): RobotCheck {
  const { site } = robot;
  const name = `the bus keeps ${usualRateHz} Hz`;
  try {
    const cycle = plannedCycle(robot);
    if (cycle === undefined)
      return {
        name,
        passed: true,
        detail: site.bus.kind === 'kitlink' ? 'the board does, with a channel for each servo' : 'as the bridge does',
      };
    checkControlRate(cycle, usualRateHz);
    const busyMs = (cycleUs(cycleAt(cycle, usualRateHz)) / 1000).toFixed(1);
    return {
      name,
      passed: true,
      detail: `${cycle.servos} servos at ${cycle.baudRate} baud need ${busyMs} of ${1000 / usualRateHz} ms with the return delays they leave the factory with; ${highestRateHz(cycle)} Hz is the most`,
    };
  } catch (error) {
    if (error instanceof KitError) return { name, passed: false, detail: error.message };
    throw error;
  }
}

export interface RobotReport {
  readonly robot: string;
  readonly folder: string;
  readonly passed: boolean;
  readonly checks: readonly RobotCheck[];
  /** What was assumed when the folder was written. */
  readonly notes: readonly string[];
}

/** Runs all checks, hands over the report, and leaves with 1 where one failed. */
export async function reportRobot(
  context: CommandContext,
  robot: LoadedRobot,
  { notes, headline }: { readonly notes: readonly string[]; readonly headline: string },
): Promise<void> {
  const line = new ProgressLine(context.io);
  let found: RobotCheck[];
  try {
    found = await checkRobot(robot, { signal: context.signal, onProgress: what => line.show(() => what) });
  } finally {
    line.done();
  }
  const [sizes, ...rest] = found;
  const checks = [sizes!, busCheck(robot), ...rest];
  const passed = checks.every(check => check.passed);
  const report: RobotReport = { robot: robot.spec.name, folder: robot.folder, passed, checks, notes };
  context.result(report, () =>
    [
      headline,
      ...notes.map(note => `note  ${note}`),
      ...checks.map(({ passed, name, detail }) => checkLine(passed, name, detail)),
    ].join('\n'),
  );
  if (!passed) context.exit('failed');
}
