/** `kit record`: demonstrations. A person moves the arm, episode by episode; what was kept becomes a log to learn from. */
import { existsSync, rmSync } from 'node:fs';
import { KitError } from '@sim2servo/models/error';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { logInfo } from '@sim2servo/runtime/logs';
import { refuseExisting } from '@sim2servo/runtime/rewrite-log';
import { type ArmReport, runArm } from '@sim2servo/runtime/run-arm';
import {
  checkDemonstrable,
  type Demonstrations,
  endedEpisodes,
  writeDemonstrations,
} from '@sim2servo/runtime/teleop/demonstrations';
import { Takes } from '@sim2servo/runtime/teleop/takes';
import { targetPolicy } from '@sim2servo/runtime/teleop/target-policy';
import {
  type ArmFlags,
  armClock,
  chooseArm,
  confirmMotion,
  driveArm,
  handOver,
  reportWords,
  withArmOptions,
} from '../arm-at-hand.js';
import type { AddCommand, CommandContext } from '../command-context.js';
import { chooseHand, type HandFlags, type OpenHand, withHandOptions } from '../hand.js';
import { hasKeys, openKeyboard } from '../keyboard.js';
import { atLeastOne, positiveNumber } from '../number-option.js';

interface RecordFlags extends ArmFlags, HandFlags {
  readonly episodes: number;
  readonly seconds: number;
  readonly reset: number;
  readonly task: string;
  readonly finish?: string;
}

const rawEnding = '.raw';

export const addRecord: AddCommand = (program, context) => {
  withArmOptions(
    withHandOptions(
      program
        .command('record')
        .description('record demonstrations: move an arm by hand, episode by episode, into a log to learn from')
        .option('--episodes <n>', 'how many to keep', atLeastOne, 10)
        .option('--seconds <n>', 'length of an episode', positiveNumber, 10)
        .option('--reset <s>', 'time before each episode to put things back', positiveNumber, 5)
        .option('--task <name>', 'reach or hold: its goal is where the fingertip ends', 'reach')
        .option('--finish <file>', 'only make the log of a recording whose process was killed: LOG.raw'),
    ),
  ).action((flags: RecordFlags) =>
    flags.finish === undefined ? record(flags, context) : finish(flags, flags.finish, context),
  );
};

async function record(flags: RecordFlags, context: CommandContext): Promise<void> {
  const { episodes, seconds, reset, rate, task: taskName } = flags;
  const { io } = context;
  const arm = chooseArm(flags);
  const { robot, logPath } = arm;
  const task = taskNamed(taskName);
  checkDemonstrable(task);
  const hand = chooseHand(flags, arm, io);
  const raw = { ...arm, logPath: `${logPath}${rawEnding}` };
  refuseExisting(logPath, '--log');
  refuseUnfinished(raw.logPath);
  const how = `${hand.how}, at ${rate} Hz: ${episodes} episodes of ${seconds} s, ${reset} s before each`;
  await confirmMotion(context, arm, flags, how, hand.first);
  const clock = armClock(flags, context);
  const open = await hand.open(clock);
  const takes = new Takes({
    episodes,
    ticksEach: Math.round(seconds * rate),
    resetTicks: Math.round(reset * rate),
    ready: () => open.ready(),
  });
  let closeKeys = () => {};
  let report: ArmReport;
  try {
    io.err(open.help);
    if (hasKeys(io.keys)) {
      io.err('Enter ends the episode, or begins the next one; Backspace throws the episode, or the one before, away.');
      closeKeys = openKeyboard(io.keys, { press: key => press(key, takes, open), interrupt: context.interrupt });
    } else io.err('stdin is not a terminal: episodes end and begin by their time alone.');
    report = await driveArm(
      context,
      raw,
      clock,
      () => `${takeWords(takes, episodes, rate)}  ${open.source.words()}`,
      options =>
        runArm({
          ...options,
          task,
          controlRateHz: rate,
          policy: targetPolicy(robot.spec, rate, open.source),
          drivenBy: { policyDigest: '', drivenBy: hand.name },
          goals: takes,
        }),
    );
  } catch (error) {
    if (existsSync(raw.logPath) && logInfo(raw.logPath).records === 0) rmSync(raw.logPath);
    throw error;
  } finally {
    closeKeys();
    await open.close();
  }
  const kept = keptEpisodes(takes, report);
  const demonstrations = kept.length === 0 ? undefined : writeDemonstrations(raw.logPath, logPath, robot.spec, kept);
  // What stopped the arm is to be looked at; a recording that went well is in the log.
  const rawKept = demonstrations === undefined || report.end.error !== undefined;
  if (!rawKept) rmSync(raw.logPath);
  const { log, ...rest } = report;
  const result = { ...rest, log: rawKept ? log : undefined, demonstrations, thrownAway: takes.thrownAway };
  handOver(context, result, () =>
    [
      reportWords(result, `${kept.length} of ${episodes} episodes kept, ${takes.thrownAway} thrown away`),
      demonstrationWords(demonstrations),
    ].join('\n'),
  );
}

/** @throws KitError E_LOG_EXISTS */
function refuseUnfinished(raw: string): void {
  if (!existsSync(raw)) return;
  throw new KitError(
    'E_LOG_EXISTS',
    `${raw} is there: a recording that was not finished`,
    `make its log with kit record --finish ${raw} and remove it, or name another file with --log`,
    'usage',
  );
}

/** Of a log that could not be finished only the episodes whose last record is in it. */
function keptEpisodes(takes: Takes, { targets, log }: ArmReport): number[] {
  const kept = takes.keptOf(targets).map(({ episode }) => episode);
  if (log === undefined || log.records !== undefined) return kept;
  const ended = endedEpisodes(log.path);
  return kept.filter(episode => ended.includes(episode));
}

function press(key: string, takes: Takes, open: OpenHand): void {
  if (key === 'enter') takes.end();
  else if (key === 'backspace') takes.discard();
  else open.press(key);
}

function takeWords(takes: Takes, episodes: number, rate: number): string {
  const left = `${(takes.ticksLeft / rate).toFixed(1)} s left`;
  return takes.phase === 'episode'
    ? `EPISODE ${takes.kept + 1} of ${episodes}, ${left}`
    : `before episode ${takes.kept + 1} of ${episodes}, ${left}`;
}

function demonstrationWords(demonstrations: Demonstrations | undefined): string {
  if (demonstrations === undefined) return 'no demonstration: no episode was kept';
  const { path, episodes, records } = demonstrations;
  return `demonstrations: ${path}, ${episodes} episodes, ${records} transitions; goal: where each ended`;
}

/** The log of a recording that was killed: every episode that came to its end. */
async function finish(flags: RecordFlags, raw: string, context: CommandContext): Promise<void> {
  const { spec } = loadRobot(flags.robot);
  const out = flags.log ?? raw.replace(new RegExp(`\\${rawEnding}$`), '');
  refuseExisting(out, '--log');
  const kept = endedEpisodes(raw);
  const demonstrations = kept.length === 0 ? undefined : writeDemonstrations(raw, out, spec, kept);
  context.result({ demonstrations, raw }, () => demonstrationWords(demonstrations));
}
