/**
 * `kit hil`: is this arm punctual and safe? On every rig the checks that any arm must pass. On an emulated one also the fault matrix of its
 * bus in virtual time, then a real host program on a real port: its latencies, and how long the arm goes on after `kill -9`.
 */
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KitError, messageOf } from '@sim2servo/models/error';
import { type LoadedRobot, loadRobot } from '@sim2servo/models/robot-folder';
import { silenceMs } from '@sim2servo/models/site';
import { type BusColumn, faultColumns } from './faults/fault-matrix.js';
import type { FaultOutcome } from './faults/judge-fault.js';
import { htmlOf } from './report/html.js';
import { madeOn } from './report/made-on.js';
import { markdownOf } from './report/markdown.js';
import { type ArmChecks, type HilReport, reportFormat, type SafetyResult, type SwapResult } from './report/report.js';
import { openRig } from './rig/open-rig.js';
import type { RigOptions } from './rig/rig.js';
import { measureSwaps } from './scenarios/hot-swap.js';
import { measureRealTime } from './scenarios/real-time-host.js';
import { type CheckResult, checkRig, rigChecks } from './scenarios/rig-checks.js';
import { safetyScenarios } from './scenarios/safety-scenarios.js';

/** Of the board: the deadline, the period in which it fell, and one for the pulse that was on its way. */
const boardPeriodMs = 20;

/** Of the real host program, on a machine that may be busy with other things. */
const attempts = 6;

/** What rig `all` is made of: an arm for each bus, in virtual time. */
const allArms = [
  { robot: 'desk2', rig: 'avr-lockstep' },
  { robot: 'so101', rig: 'bus-lockstep' },
  { robot: 'koch', rig: 'bus-lockstep' },
] as const;
/** The one that is put behind a broker. */
const behindBroker = 'so101';

export interface HilOptions {
  readonly robot: string;
  /** `ideal`, `avr`, `bus`, `all`, or `serial:PATH`: there a real arm moves. */
  readonly rig: string;
  readonly reportDir: string;
  /** How long the real host program is measured. */
  readonly seconds: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (what: string) => void;
  /** Is told of the USB adapter of a `serial:PATH`, each time that it is opened. */
  readonly onLatency?: RigOptions['onLatency'];
}

/** Writes report.html, report.md and report.json. @throws KitError E_REPORT before anything moves, or where a rig itself fails; what an arm does wrong stands in the report */
export async function runHil(options: HilOptions): Promise<HilReport> {
  const { rig } = options;
  prepare(options.reportDir);
  const found = rig === 'all' ? await onAll(options) : await onOne(options);
  const { arms, faults, safety, swaps, realTime } = found;
  const results = [
    ...arms.flatMap(({ checks }) => checks),
    ...faults,
    ...safety,
    ...swaps,
    ...[realTime?.punctual, realTime?.killed].filter(result => result !== undefined),
  ];
  const report: HilReport = {
    format: reportFormat,
    rig,
    passed: results.every(result => result.passed) && found.unmeasured === '',
    madeOn: madeOn(),
    ...found,
  };
  const write = (name: string, text: string) => writeFileSync(join(options.reportDir, name), text);
  write('report.json', `${JSON.stringify(report, null, 2)}\n`);
  write('report.md', markdownOf(report));
  write('report.html', htmlOf(report));
  return report;
}

/** Known before an arm has moved for it. */
function prepare(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const hint = 'name a folder that you may write to with --report';
    throw new KitError('E_REPORT', `no report can be written into ${folder}: ${messageOf(error)}`, hint, 'usage');
  }
}

type Found = Pick<HilReport, 'arms' | 'faults' | 'safety' | 'swaps' | 'realTime' | 'unmeasured'>;

function begin({ signal, onProgress }: HilOptions, what: string): void {
  if (signal?.aborted === true) throw new KitError('E_INTERRUPTED', 'interrupted', 'run it again', 'interrupt');
  onProgress?.(what);
}

async function onAll(options: HilOptions): Promise<Found> {
  const arms: ArmChecks[] = [];
  const faults: FaultOutcome[] = [];
  const swaps: SwapResult[] = [];
  for (const { robot: name, rig } of allArms) {
    const robot = loadRobot(name);
    arms.push(await checked(options, robot, rig));
    faults.push(...(await suffered(options, robot, robot.site.bus.kind)));
    swaps.push(await swapped(options, robot, rig));
  }
  faults.push(...(await suffered(options, loadRobot(behindBroker), 'mqtt')));
  return { arms, faults, safety: await onBoardAlone(options, loadRobot('desk2')), swaps, unmeasured: '' };
}

async function onOne(options: HilOptions): Promise<Found> {
  const { rig, seconds, signal } = options;
  const robot = loadRobot(options.robot);
  // The emulated rigs have their own programs in real time below: here their time may be virtual, and nothing depends on this machine.
  const emulated = rig === 'avr' || rig === 'bus';
  const arms = [await checked(options, robot, emulated ? `${rig}-lockstep` : rig)];
  const buses: BusColumn[] = rig === 'avr' ? ['kitlink'] : rig === 'bus' ? [robot.site.bus.kind, 'mqtt'] : [];
  const faults: FaultOutcome[] = [];
  for (const bus of buses) faults.push(...(await suffered(options, robot, bus)));
  const safety = rig === 'avr' ? await onBoardAlone(options, robot) : [];
  if (!emulated && !rig.startsWith('serial:')) return { arms, faults, safety, swaps: [], unmeasured: '' };
  const swaps = emulated ? [await swapped(options, robot, `${rig}-lockstep`)] : [];
  const unmeasured: string[] = [];
  /** A machine that is busy may starve the arm: that is begun anew, but never with an arm that somebody has on his desk. */
  const inRealTime = async <T>(what: string, measure: () => Promise<T>): Promise<T | undefined> => {
    for (let attempt = 1; ; attempt++) {
      begin(options, what);
      try {
        return await measure();
      } catch (error) {
        if ((error as KitError).code !== 'E_HIL_HOST') throw error;
        if (emulated && attempt < attempts) continue;
        unmeasured.push(messageOf(error));
        return undefined;
      }
    }
  };
  const realTime = await inRealTime(
    `a host program in real time for ${seconds} s${emulated ? ', then kill -9' : ''}`,
    () => measureRealTime({ robot, rig, seconds, ...(signal && { signal }) }),
  );
  // On a real arm nobody knows where a policy would take it.
  const swap = emulated && (await inRealTime(swapping(rig), () => measureSwaps(robot, rig, false, signal)));
  if (swap) swaps.push(swap);
  return { arms, faults, safety, swaps, ...(realTime && { realTime }), unmeasured: unmeasured.join('; ') };
}

const swapping = (rig: string) => `policies take over on ${rig}`;

async function swapped(options: HilOptions, robot: LoadedRobot, rig: string): Promise<SwapResult> {
  begin(options, swapping(rig));
  return measureSwaps(robot, rig, true, options.signal);
}

async function checked(options: HilOptions, robot: LoadedRobot, rigName: string): Promise<ArmChecks> {
  const { onLatency } = options;
  const rig = await openRig(rigName, robot, { ...(onLatency && { onLatency }) });
  try {
    const checks: CheckResult[] = [];
    for (const check of rigChecks) {
      begin(options, `${robot.spec.name}: ${check.name}`);
      checks.push(await checkRig(rig, robot, check));
    }
    return { robot: robot.spec.name, bus: robot.site.bus.kind, rig: rigName, checks };
  } finally {
    await rig.close();
  }
}

async function suffered(options: HilOptions, robot: LoadedRobot, bus: BusColumn): Promise<FaultOutcome[]> {
  const outcomes: FaultOutcome[] = [];
  for (const fault of faultColumns[bus]) {
    begin(options, `${bus}: ${fault.name}`);
    outcomes.push(await fault.suffer(robot));
  }
  return outcomes;
}

async function onBoardAlone(options: HilOptions, robot: LoadedRobot): Promise<SafetyResult[]> {
  const limitMs = silenceMs(robot.site.bus) + 2 * boardPeriodMs;
  const results: SafetyResult[] = [];
  for (const scenario of safetyScenarios) {
    begin(options, `the board alone: ${scenario.name}`);
    const outcome = await scenario.run(robot);
    const passed = outcome.arm === scenario.arm && outcome.settledMs <= limitMs;
    results.push({ name: scenario.name, expected: scenario.arm, passed, ...outcome });
  }
  return results;
}
