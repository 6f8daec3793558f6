/** The parts of `npm start`, each a call into the packages, each with what came of it. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { type AvrRig, startAvrRig } from '@sim2servo/hil-tests/rig/avr-rig';
import type { RigReport } from '@sim2servo/hil-tests/rig/rig-messages';
import { runOnRig } from '@sim2servo/hil-tests/rig/run-on-rig';
import { latchedAfterMs } from '@sim2servo/hil-tests/scenarios/real-time-host';
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { heldOutGoals } from '@sim2servo/models/tasks/held-out-goals';
import type { Task } from '@sim2servo/models/tasks/task';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { drawnGoals, listedGoals } from '@sim2servo/runtime/goal-source';
import type { RunReport } from '@sim2servo/runtime/run-policy';
import { type ArmVariation, changedArm } from '@sim2servo/sim/arm-variation';
import { FailedRun, RunProcess } from './run-process.js';
import { type Percentiles, percentiles } from './tour-result.js';

export const targets = 20;
const controlRateHz = 50;
const mostAttempts = 5;
/** Episodes of two seconds each that the changed arm is logged for. */
const loggedEpisodes = 60;
const explorationSigma = 0.7;

export interface LiveRun {
  readonly report: RunReport;
  /** More than 1 where the machine was too busy at first. */
  readonly attempts: number;
  readonly realTimeFactor: number;
  readonly keptUp: boolean;
  readonly sensorToRegisterUs: Percentiles;
  readonly registerToPulseUs: Percentiles;
  readonly holdMs: number;
}

/**
 * Twenty targets in real time through a serial port, then the same program killed in the middle of a motion.
 *
 * @param deployAgain after a stop that was not the policy's doing: the store has taken it for that, and has rolled the policy back
 */
export async function liveRun(
  robot: LoadedRobot,
  policy: string,
  logs: string,
  say: (text: string) => void,
  signal: AbortSignal,
  deployAgain: () => Promise<unknown>,
): Promise<LiveRun> {
  const rig = await startAvrRig({ robot: robot.folder, imagePath: firmwareImage });
  try {
    const common = ['--robot', robot.folder, '--policy', policy, '--port', rig.path];
    const { report, attempts } = await untilUndisturbed(rig, say, deployAgain, attempt =>
      untilTargets([...common, '--held-out', String(targets), '--log', at(logs, 'live', attempt)], signal),
    );
    const { realTimeFactor, keptUp, sensorToRegisterUs, registerToPulseUs } = await rig.report();
    const { report: holdMs } = await untilUndisturbed(rig, say, deployAgain, attempt =>
      killAndWatch(rig, [...common, '--log', at(logs, 'killed', attempt)]),
    );
    return {
      report,
      attempts,
      realTimeFactor,
      keptUp,
      sensorToRegisterUs: percentiles(sensorToRegisterUs),
      registerToPulseUs: percentiles(registerToPulseUs),
      holdMs,
    };
  } finally {
    await rig.stop();
  }
}

async function untilTargets(args: readonly string[], signal: AbortSignal): Promise<RunReport> {
  const run = new RunProcess(args, true);
  const stop = () => run.kill('SIGINT');
  signal.addEventListener('abort', stop);
  try {
    return await run.report();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const at = (logs: string, name: string, attempt: number) =>
  join(logs, attempt === 1 ? `${name}.mcap` : `${name}-${attempt}.mcap`);

/**
 * Runs `work` again where the arm was stopped after the machine had held up board or program for longer than a tick: that stop says nothing
 * about the policy. A stop on a machine that kept up is one.
 */
async function untilUndisturbed<Result>(
  rig: AvrRig,
  say: (text: string) => void,
  deployAgain: () => Promise<unknown>,
  work: (attempt: number) => Promise<Result>,
): Promise<{ readonly report: Result; readonly attempts: number }> {
  for (let attempt = 1; ; attempt++) {
    await rig.tell({ kind: 'clear' });
    try {
      return { report: await work(attempt), attempts: attempt };
    } catch (error) {
      const heldUp = heldUpWords(await rig.report(), error);
      if (heldUp === undefined || attempt === mostAttempts) throw error;
      say(`   the arm was stopped (${(error as KitError).message}), but ${heldUp}: once more`);
      await deployAgain();
    }
  }
}

/** What the machine did to a run that was stopped; undefined where it kept up, or the run failed otherwise. */
export function heldUpWords({ maxLagUs }: Pick<RigReport, 'maxLagUs'>, error: unknown): string | undefined {
  if (!(error instanceof KitError) || error.exit !== 'safetyStop') return;
  if (maxLagUs > 1e6 / controlRateHz)
    return `this machine held the emulated board up for ${(maxLagUs / 1000).toFixed(0)} ms`;
  const away = error instanceof FailedRun ? error.report.missedBy.away : 0;
  return away > 0 ? `this machine held the program up for ${away} ticks` : undefined;
}

/** `kill -9` in the middle of a motion. @returns from the last byte of the host to the board's own hold, emulated ms */
async function killAndWatch(rig: AvrRig, args: readonly string[]): Promise<number> {
  const run = new RunProcess(args, false);
  const patienceMs = 20_000;
  for (const since = performance.now(); (await rig.report()).device !== 'armed'; await sleep(50)) {
    if (run.running && performance.now() - since < patienceMs) continue;
    await run.kill('SIGKILL');
    throw new KitError(
      'E_TOUR_STOP',
      'the run that was to be killed never armed the board',
      'try `kit run` by hand to see why',
    );
  }
  await sleep(1500);
  if ((await rig.report()).device === 'armed') {
    await run.kill('SIGKILL');
    return latchedAfterMs(rig);
  }
  const { end } = await run.report();
  throw new KitError('E_TOUR_STOP', `the run that was to be killed had ended: ${end.reason}`, 'run it again');
}

function ticksOf(task: Task, { spec }: LoadedRobot): number {
  return Math.round(task.episodeS(spec, controlRateHz) * controlRateHz);
}

/** The held-out targets on an arm, in lockstep. */
export function heldOutRun(
  robot: LoadedRobot,
  policyDir: string,
  variation: ArmVariation,
  logPath: string,
  signal: AbortSignal,
): Promise<RunReport> {
  const task = taskNamed('reach');
  const goals = listedGoals(heldOutGoals(robot.spec, task, targets), ticksOf(task, robot));
  return runOnRig({ rig: 'avr-lockstep', robot, policyDir, goals, variation, logPath, signal });
}

/** The changed arm at work on targets of its own, with a little noise on its actions: what is learnt on from. */
export function collectRun(
  robot: LoadedRobot,
  policyDir: string,
  logPath: string,
  seed: number,
  signal: AbortSignal,
): Promise<RunReport> {
  const task = taskNamed('reach');
  const random = new Random(seed);
  return runOnRig({
    rig: 'avr-lockstep',
    robot,
    policyDir,
    goals: drawnGoals(robot.spec, task, random.fork('goals'), ticksOf(task, robot)),
    seconds: loggedEpisodes * task.episodeS(robot.spec, controlRateHz),
    variation: changedArm,
    seed: seed + 1,
    exploration: { sigma: explorationSigma, random: random.fork('exploration') },
    logPath,
    signal,
  });
}
