/** What `kit run`, `teleop`, `record` and `replay` share: which arm, where its log goes, the question before it moves, and the words after. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import type { ServoLink } from '@sim2servo/firmware-bridge/servo-link';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, loadRobot } from '@sim2servo/models/robot-folder';
import type { HistogramSummary } from '@sim2servo/runtime/histogram';
import type { LoopStatus } from '@sim2servo/runtime/loop-report';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import { requestRealtimePriority } from '@sim2servo/runtime/realtime-priority';
import type { ArmOptions, ArmReport } from '@sim2servo/runtime/run-arm';
import type { Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { confirm, type Io } from './io.js';
import { ProgressLine } from './progress-line.js';
import { robotPlace } from './robot-place.js';
import { servoPort } from './servo-port.js';

export interface ArmFlags {
  readonly robot: string;
  readonly port?: string;
  readonly log?: string;
  readonly fifo?: boolean;
  readonly yes?: boolean;
}

/** The options behind {@link ArmFlags}. */
export function withArmOptions(command: Command): Command {
  return command
    .option('--robot <name>', 'shipped robot or robot folder', 'desk2')
    .option('--port <path>', 'serial port of the board (default: the one in site.json)')
    .option('--log <file>', 'where to record (default: logs/ROBOT-TIME.mcap)')
    .option('--fifo', 'ask for real-time priority: ticks stay on time while the machine does other work')
    .option('-y, --yes', 'the arm is free to move: do not ask');
}

export interface Arm {
  readonly robot: LoadedRobot;
  readonly place: string;
  readonly logPath: string;
}

/** @throws KitError for what is wrong with the robot or the place of its bus */
export function chooseArm(flags: ArmFlags): Arm {
  const robot = loadRobot(flags.robot);
  const place = robotPlace(robot, flags.port);
  const logPath = flags.log ?? `logs/${robot.spec.name}-${new Date().toISOString().replaceAll(':', '')}.mcap`;
  return { robot, place, logPath };
}

/**
 * Makes the log's folder, and asks.
 *
 * @param how  what moves the arm, to come after its name
 * @param more a sentence of its own
 */
export async function confirmMotion(
  { io }: CommandContext,
  { robot, place, logPath }: Arm,
  flags: ArmFlags,
  how: string,
  more = '',
): Promise<void> {
  makeFolder(dirname(logPath));
  await confirm(
    io,
    `About to move ${robot.spec.name} on ${place} ${how}.\n${more}Keep clear of the arm. Ctrl-C holds it; the log goes to ${logPath}.`,
    flags.yes === true,
  );
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

/** The clock of the run, with the priority that was asked for. */
export function armClock(flags: ArmFlags, { io }: CommandContext): RealtimeClock {
  const priority = flags.fifo === true ? requestRealtimePriority() : undefined;
  if (priority !== undefined) io.err(priority.words);
  return new RealtimeClock();
}

export function linkOn(io: Io, robot: LoadedRobot, place: string, clock: Clock): ServoLink {
  return createLink({ robot, clock, open: servoPort(io, place) });
}

/**
 * Drives the arm while a line says how it goes.
 *
 * @param drive is given what is the same for every run
 * @param words what there is to say of a tick besides where the motion is and how many ticks there were
 */
export async function driveArm<Report extends ArmReport>(
  context: CommandContext,
  { robot, place, logPath }: Arm,
  clock: RealtimeClock,
  words: (status: LoopStatus) => string,
  drive: (options: Omit<ArmOptions, 'goals'> & { readonly logPath: string }) => Promise<Report>,
): Promise<Report> {
  const line = new ProgressLine(context.io);
  try {
    return await drive({
      robot,
      link: linkOn(context.io, robot, place, clock),
      clock,
      logPath,
      onStatus: status =>
        line.show(
          () =>
            `${status.motion}  tick ${status.ticks}, ${status.missed} missed  ${words(status)}  link errors ${status.linkErrors}`,
        ),
      signal: context.signal,
    });
  } finally {
    line.done();
  }
}

/** The report as the command's result; of a run that was stopped, its words and then its error. */
export function handOver<Report extends ArmReport>(context: CommandContext, report: Report, text: () => string): void {
  const { error, ...end } = report.end;
  const shown = { ...report, end };
  if (error === undefined) {
    context.result(shown, text);
    return;
  }
  context.io.err(text());
  context.report(shown);
  throw error;
}

/** @param came what came of it, in a line */
export function reportWords(report: ArmReport, came: string): string {
  const { timing } = report;
  const us = (name: keyof typeof timing) =>
    `${timing[name].p50.toFixed(0)} / ${timing[name].p99.toFixed(0)} / ${timing[name].p999.toFixed(0)} µs`;
  const limited = Object.entries(report.limiterTicks).filter(([, ticks]) => ticks > 0);
  const { end, log, held } = report;
  return [
    `${end.kind}: ${end.reason}`,
    held,
    `${report.ticks} ticks in ${report.seconds.toFixed(1)} s, ${missedWords(report)}, ${report.stale} stale, ${report.refused} refused`,
    came,
    `p50 / p99 / p99.9: period error ${us('periodErrorUs')}, inference ${us('inferUs')}, sensor to servo ${us('sensorToServoUs')}`,
    `tick without its read ${us('tickUs')}; ${gcWords(timing.gcPauseUs)}`,
    `limiters: ${limited.length === 0 ? 'none acted' : limited.map(([name, ticks]) => `${name} ${ticks}`).join(', ')}; link errors ${report.linkErrors}`,
    ...(log === undefined ? [] : [logWords(log)]),
  ].join('\n');
}

function logWords({ path, records }: NonNullable<ArmReport['log']>): string {
  return records === undefined
    ? `log: ${path}, cut off; mend it with kit logs recover`
    : `log: ${path}, ${records} transitions, whole`;
}

function missedWords({ missed, missedBy: { away, read, work } }: ArmReport): string {
  if (missed === 0) return '0 missed';
  return `${missed} missed (${away} while the machine did something else, ${read} by late samples, ${work} by slow work of its own)`;
}

function gcWords({ count, max }: HistogramSummary): string {
  return count === 0
    ? 'no garbage was collected'
    : `garbage was collected ${count} times, ${max.toFixed(0)} µs at most`;
}
