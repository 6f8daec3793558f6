/** A real host program on a rig in real time: how punctual it is, and what becomes of the arm and of the log when it is killed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { KitError } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { countsPerTurn, silenceMs } from '@sim2servo/models/site';
import { Histogram, type HistogramJson } from '@sim2servo/runtime/histogram';
import type { LoopReport } from '@sim2servo/runtime/loop-report';
import { type TickPhase, tickPhases } from '@sim2servo/runtime/tick-timing';
import { sagLimitRad } from '../faults/judge-fault.js';
import { judgeLog } from '../faults/judge-log.js';
import { lastMotionUs, movedRad } from '../faults/judge-motion.js';
import type { KilledHost, Latency, RealTimeReport, TickCounts } from '../report/report.js';
import { type AvrRig, startAvrRig } from '../rig/avr-rig.js';
import { type BusRig, startBusRig } from '../rig/bus/bus-rig.js';
import { judgeTiming } from './judge-timing.js';
import { startLoopHost } from './loop-host.js';

/** The spread between runs is what the machine itself adds. */
const runs = 3;
/** A small, slow swing: it is done on hardware as well. */
const speedShare = 0.25;
/** Of an emulated arm whose host is killed: as in the fault matrix. */
const killedSpeedShare = 0.4;
/** A board speaks once a period, of what it did before. */
const tellingMs = 25;
/** An arm stands by then, once its silence could be noticed. */
const stopLimitMs = 100;
/** Motion before the kill, and how long the arm is watched after it. */
const beforeKillMs = 1_500;
const watchMs = 800;
/** Of any board, and what host and emulated servos can do together on two cores. */
const controlRateHz = 50;

export interface RealTimeOptions {
  readonly robot: LoadedRobot;
  /** `avr`, `bus`, or `serial:PATH`: there a real arm swings, and nobody is killed. */
  readonly rig: string;
  /** Of all runs together. */
  readonly seconds: number;
  readonly signal?: AbortSignal;
}

export async function measureRealTime(options: RealTimeOptions): Promise<RealTimeReport> {
  const { robot, rig: name } = options;
  if (name === 'avr') return onBoard(options, await startAvrRig({ robot: robot.folder, imagePath: firmwareImage }));
  if (name === 'bus') return onBus(options, await startBusRig({ robot: robot.folder }));
  return measureRuns(options, name.slice('serial:'.length));
}

async function onBoard(options: RealTimeOptions, rig: AvrRig): Promise<RealTimeReport> {
  try {
    await rig.tell({ kind: 'clear' });
    const measured = await measureRuns(options, rig.path);
    const { realTimeFactor, slippedUs, keptUp, sensorToRegisterUs, registerToPulseUs } = await rig.report();
    mustKeepUp(measured, keptUp);
    const limitMs = silenceMs(options.robot.site.bus) + tellingMs;
    const killed = await killHost(options, rig.path, limitMs, async () => ({ stoppedMs: await latchedAfterMs(rig) }));
    return {
      ...measured,
      rig: { realTimeFactor, slippedUs, keptUp },
      ...(keptUp && {
        board: {
          sensorToRegisterUs: histogramOf(sensorToRegisterUs),
          registerToPulseUs: histogramOf(registerToPulseUs),
        },
      }),
      killed,
    };
  } finally {
    await rig.stop();
  }
}

async function onBus(options: RealTimeOptions, rig: BusRig): Promise<RealTimeReport> {
  try {
    await rig.tell({ kind: 'clear' });
    const measured = await measureRuns(options, rig.path);
    const { realTimeFactor, slippedUs, keptUp } = await rig.report();
    mustKeepUp(measured, keptUp);
    const limitMs = silenceMs(options.robot.site.bus) + stopLimitMs;
    const killed = await killHost(options, rig.path, limitMs, () => stoodAfter(rig, limitMs));
    return { ...measured, rig: { realTimeFactor, slippedUs, keptUp }, killed };
  } finally {
    await rig.stop();
  }
}

/** A loop is not to blame for what an emulated arm kept it waiting for. @throws KitError E_HIL_HOST */
function mustKeepUp({ punctual }: RealTimeReport, keptUp: boolean): void {
  if (keptUp || punctual?.passed !== false) return;
  throw new KitError(
    'E_HIL_HOST',
    `the emulated arm did not keep up with the clock, so of the loop nothing can be said (${punctual.detail})`,
    'this machine is too busy: try again when it is not',
  );
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sim2servo-host-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureRuns({ robot, seconds, signal }: RealTimeOptions, port: string): Promise<RealTimeReport> {
  const reports = await inFolder(async folder => {
    const host = startLoopHost({
      robot: robot.folder,
      port,
      logPath: join(folder, 'run'),
      controlRateHz,
      runs,
      seconds: seconds / runs,
      speedShare,
    });
    const stop = () => host.process.kill('SIGKILL');
    signal?.addEventListener('abort', stop);
    try {
      return await host.reports;
    } catch (error) {
      if (signal?.aborted === true) throw new KitError('E_INTERRUPTED', 'interrupted', 'run it again', 'interrupt');
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  });
  const counted = reports.map(({ ticks, missed, stale }) => ({ ticks, missed, stale }));
  const sum = (count: keyof TickCounts) => counted.reduce((total, run) => total + run[count], 0);
  const measured = {
    rateHz: controlRateHz,
    ticks: sum('ticks'),
    missed: sum('missed'),
    stale: sum('stale'),
    runs: counted,
    phases: Object.fromEntries(
      (Object.keys(tickPhases) as TickPhase[]).map(phase => [phase, together(reports, phase)]),
    ) as Record<TickPhase, Latency>,
  };
  return { robot: robot.spec.name, bus: robot.site.bus.kind, ...measured, punctual: judgeTiming(measured) };
}

function together(reports: readonly LoopReport[], phase: TickPhase): Latency {
  const whole = new Histogram();
  for (const { timing } of reports) whole.add(timing[phase]);
  return {
    whole: whole.toJSON(),
    runs: reports.map(({ timing }) => {
      const { buckets: _buckets, ...summary } = timing[phase];
      return summary;
    }),
  };
}

async function killHost(
  { robot }: RealTimeOptions,
  port: string,
  limitMs: number,
  stopped: () => Promise<Pick<KilledHost, 'stoppedMs' | 'movedRad'>>,
): Promise<KilledHost> {
  return inFolder(async folder => {
    const logPath = join(folder, 'run');
    const host = startLoopHost({
      robot: robot.folder,
      port,
      logPath,
      controlRateHz,
      runs: 1,
      seconds: 60,
      speedShare: killedSpeedShare,
    });
    try {
      await host.moving;
      await sleep(beforeKillMs);
      const ticks = host.ticks();
      host.process.kill('SIGKILL');
      const stood = await stopped();
      const { stoppedMs, movedRad: crept = 0 } = stood;
      if (stoppedMs < 0)
        throw new KitError(
          'E_HIL_HOST',
          'the arm had stopped by itself before its host was killed',
          'this machine is too busy: try again when it is not',
        );
      const log = judgeLog(`${logPath}-0.mcap`, { ticks, dropped: 0, spanS: 0, rateHz: controlRateHz, closed: false });
      return { passed: stoppedMs <= limitMs && crept <= sagLimitRad && log.wrong === '', ...stood, limitMs, log };
    } finally {
      host.process.kill('SIGKILL');
    }
  });
}

/** From the last byte of the host to the last motion of any horn, emulated ms; and, slower than what counts as motion, how far one went then. */
async function stoodAfter(rig: BusRig, limitMs: number): Promise<{ stoppedMs: number; movedRad: number }> {
  await sleep(watchMs);
  const { trace, lastHostByteUs, nowUs, torque } = await rig.report();
  if (torque.some(on => on !== 1))
    throw new KitError('E_HIL_LIMP', 'an arm whose host was killed went limp', 'report it', 'safetyStop');
  const joints = torque.map((_, servo) => servo);
  const radPerCount = (2 * Math.PI) / countsPerTurn;
  const poses = trace.map(({ timeUs, counts }) => ({ timeUs, anglesRad: counts.map(count => count * radPerCount) }));
  return {
    stoppedMs: (lastMotionUs(poses, joints, lastHostByteUs, nowUs) - lastHostByteUs) / 1000,
    movedRad: movedRad(poses, joints, lastHostByteUs + 1000 * limitMs),
  };
}

/** From the last byte of the host to the frame that says `latched`, emulated ms. @throws KitError E_HIL_RUNAWAY */
export async function latchedAfterMs(rig: AvrRig): Promise<number> {
  const patienceMs = 5_000;
  for (const since = performance.now(); performance.now() - since < patienceMs; await sleep(50)) {
    const { latchedUs, lastHostByteUs } = await rig.report();
    if (!Number.isNaN(latchedUs)) return (latchedUs - lastHostByteUs) / 1000;
  }
  throw new KitError(
    'E_HIL_RUNAWAY',
    `the board went on for ${patienceMs / 1000} s after its host was killed`,
    'do not use this firmware: report it',
    'safetyStop',
  );
}

function histogramOf(values: readonly number[]): HistogramJson {
  const filled = new Histogram();
  for (const value of values) filled.record(value);
  return filled.toJSON();
}
