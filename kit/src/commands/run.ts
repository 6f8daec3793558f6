/** `kit run`: a deployed policy drives an arm. The control loop owns this thread until the run is over. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { heldOutGoals } from '@sim2servo/models/tasks/held-out-goals';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { drawnGoals, listedGoals } from '@sim2servo/runtime/goal-source';
import type { HistogramSummary } from '@sim2servo/runtime/histogram';
import type { LoopStatus } from '@sim2servo/runtime/loop-report';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import { requestRealtimePriority } from '@sim2servo/runtime/realtime-priority';
import { loadPolicy, type RunReport, runPolicy } from '@sim2servo/runtime/run-policy';
import type { AddCommand, CommandContext } from '../command-context.js';
import { confirm } from '../io.js';
import { positiveNumber, wholeNumber } from '../number-option.js';
import { ProgressLine } from '../progress-line.js';
import { robotPlace } from '../robot-place.js';

interface RunFlags {
  readonly robot: string;
  readonly policy: string;
  readonly port?: string;
  readonly seconds?: number;
  readonly heldOut?: number;
  readonly explore?: number;
  readonly seed: number;
  readonly log?: string;
  readonly fifo?: boolean;
  readonly yes?: boolean;
}

export const addRun: AddCommand = (program, context) => {
  program
    .command('run')
    .description('drive an arm with a deployed policy; Ctrl-C holds it')
    .option('--robot <name>', 'shipped robot or robot folder', 'desk2')
    .requiredOption('--policy <folder>', 'release store that kit deploy filled, or a bundle')
    .option('--port <path>', 'serial port of the board (default: the one in site.json)')
    .option('--seconds <n>', 'end after this time; without it, only Ctrl-C ends the run', positiveNumber)
    .option('--held-out <n>', 'pursue the first n held-out targets, then end', wholeNumber)
    .option(
      '--explore <sigma>',
      'noise on the actions, for collecting data: 0.1 is a tenth of the full action',
      positiveNumber,
    )
    .option('--seed <n>', 'of the goals and the noise', wholeNumber, 0)
    .option('--log <file>', 'where to record (default: logs/ROBOT-TIME.mcap)')
    .option('--fifo', 'ask for real-time priority: ticks stay on time while the machine does other work')
    .option('-y, --yes', 'the arm is free to move: do not ask')
    .action((flags: RunFlags) => run(flags, context));
};

async function run(flags: RunFlags, context: CommandContext): Promise<void> {
  const robot = loadRobot(flags.robot);
  const place = robotPlace(robot, flags.port);
  const { manifest, digest } = loadPolicy(robot, flags.policy);
  const logPath = flags.log ?? `logs/${robot.spec.name}-${new Date().toISOString().replaceAll(':', '')}.mcap`;
  makeFolder(dirname(logPath));
  const what =
    flags.heldOut !== undefined
      ? `${flags.heldOut} held-out targets`
      : flags.seconds !== undefined
        ? `${flags.seconds} s`
        : 'until Ctrl-C';
  await confirm(
    context.io,
    `About to move ${robot.spec.name} on ${place} with policy ${manifest.name} (${digest.slice(0, 12)}…), task ${manifest.task} at ${manifest.controlRateHz} Hz, ${what}.\nKeep clear of the arm. Ctrl-C holds it; the log goes to ${logPath}.`,
    flags.yes === true,
  );
  const task = taskNamed(manifest.task);
  const ticksEach = Math.round(task.episodeS(robot.spec, manifest.controlRateHz) * manifest.controlRateHz);
  const random = new Random(flags.seed);
  const goals =
    flags.heldOut === undefined
      ? drawnGoals(robot.spec, task, random.fork('goals'), ticksEach)
      : listedGoals(heldOutGoals(robot.spec, task, flags.heldOut), ticksEach);
  const priority = flags.fifo === true ? requestRealtimePriority() : undefined;
  if (priority !== undefined) context.io.err(priority.words);
  const clock = new RealtimeClock(priority?.granted);
  const link = createLink({ robot, clock, open: baudRate => openSerial(place, baudRate) });
  const line = new ProgressLine(context.io);
  let report: RunReport;
  try {
    report = await runPolicy({
      robot,
      policyDir: flags.policy,
      link,
      clock,
      goals,
      logPath,
      ...(flags.seconds !== undefined && { seconds: flags.seconds }),
      ...(flags.explore !== undefined && { exploration: { sigma: flags.explore, random: random.fork('exploration') } }),
      onStatus: status => line.show(() => statusLine(status)),
      signal: context.signal,
    });
  } finally {
    line.done();
  }
  if (report.end.error !== undefined) {
    context.io.err(runWords(report));
    throw report.end.error;
  }
  const { error: _, ...end } = report.end;
  context.result({ ...report, end }, () => runWords(report));
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new KitError(
      'E_LOG_FOLDER',
      `can't make the folder ${folder} for the log: ${(error as Error).message}`,
      'name another file with --log',
      'usage',
    );
  }
}

function statusLine(status: LoopStatus): string {
  return (
    `${status.motion}  tick ${status.ticks}, ${status.missed} missed  target ${status.targets + 1}, ${status.reached} reached  ` +
    `error ${(status.errorM * 1000).toFixed(1)} mm  infer p99 ${status.inferP99Us.toFixed(0)} µs  link errors ${status.linkErrors}`
  );
}

function runWords(report: RunReport): string {
  const { timing } = report;
  const us = (name: keyof typeof timing) =>
    `${timing[name].p50.toFixed(0)} / ${timing[name].p99.toFixed(0)} / ${timing[name].p999.toFixed(0)} µs`;
  const limited = Object.entries(report.limiterTicks).filter(([, ticks]) => ticks > 0);
  const { end, log } = report;
  return [
    `${end.kind}: ${end.reason}`,
    end.haltError === undefined
      ? 'the arm was told to hold, and holds'
      : `the arm could not be told to hold (${end.haltError}): the board holds it by itself once its deadline is over`,
    `${report.ticks} ticks in ${report.seconds.toFixed(1)} s, ${report.missed} missed, ${report.stale} stale, ${report.refused} refused`,
    report.targets.length === 0
      ? 'no target was pursued to its end'
      : `${report.reached} of ${report.targets.length} targets reached, mean error ${(report.meanErrorM * 1000).toFixed(1)} mm`,
    `p50 / p99 / p99.9: period error ${us('periodErrorUs')}, inference ${us('inferUs')}, sensor to servo ${us('sensorToServoUs')}`,
    `tick without its read ${us('tickUs')}; ${gcWords(timing.gcPauseUs)}`,
    `limiters: ${limited.length === 0 ? 'none acted' : limited.map(([name, ticks]) => `${name} ${ticks}`).join(', ')}; link errors ${report.linkErrors}`,
    log?.records === undefined
      ? `log: ${log?.path ?? 'none'}, cut off; mend it with kit logs recover`
      : `log: ${log.path}, ${log.records} transitions, whole`,
  ].join('\n');
}

function gcWords({ count, max }: HistogramSummary): string {
  return count === 0
    ? 'no garbage was collected'
    : `garbage was collected ${count} times, ${max.toFixed(0)} µs at most`;
}
