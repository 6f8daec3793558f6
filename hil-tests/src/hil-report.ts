/**
 * `kit hil`: is this arm punctual and safe? On every rig the checks that any arm must pass. On `avr` also every safety scenario on the
 * firmware image in virtual time, then a real host program on a real port: its latencies as histograms, and how long the arm goes on
 * after `kill -9`.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, loadRobot } from '@sim2servo/models/robot-folder';
import { siteOn } from '@sim2servo/models/site';
import { Histogram, type HistogramJson } from '@sim2servo/runtime/histogram';
import { type AvrRig, startAvrRig } from './rig/avr-rig.js';
import { openRig } from './rig/open-rig.js';
import { type CheckResult, checkRig, rigChecks } from './scenarios/rig-checks.js';
import { type SafetyOutcome, safetyScenarios } from './scenarios/safety-scenarios.js';
import { startSwinging } from './scenarios/swinging-host.js';

/** The board's own deadline, and a period for the frame that tells of it. */
const tellingMs = 25;
const periodMs = 20;

export interface HilOptions {
  readonly robot: string;
  /** `ideal`, `avr`, or `serial:PATH`: there a real arm moves. */
  readonly rig: string;
  readonly outDir: string;
  /** How long the real host program is measured. */
  readonly seconds: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (what: string) => void;
}

export interface SafetyResult extends SafetyOutcome {
  readonly name: string;
  readonly expected: 'held' | 'limp';
  readonly passed: boolean;
}

export interface HilReport {
  readonly robot: string;
  readonly rig: string;
  readonly passed: boolean;
  readonly checks: readonly CheckResult[];
  /** What only the emulated board can show. */
  readonly board?: BoardReport;
}

export interface BoardReport {
  readonly image: string;
  readonly safety: readonly SafetyResult[];
  readonly killed: { readonly holdMs: number; readonly deadlineMs: number; readonly passed: boolean };
  readonly realTimeFactor: number;
  readonly slippedUs: number;
  /** Absent where the machine could not emulate the board in real time. */
  readonly latency?: { readonly sensorToRegisterUs: HistogramJson; readonly registerToPulseUs: HistogramJson };
}

export async function runHil(options: HilOptions): Promise<HilReport> {
  const robot = loadRobot(options.robot);
  const checks = await allChecks(options, robot);
  const board = options.rig === 'avr' ? await boardReport(options, robot) : undefined;
  const results = [...checks, ...(board === undefined ? [] : [...board.safety, board.killed])];
  const report: HilReport = {
    robot: robot.spec.name,
    rig: options.rig,
    passed: results.every(result => result.passed),
    checks,
    ...(board !== undefined && { board }),
  };
  mkdirSync(options.outDir, { recursive: true });
  writeFileSync(join(options.outDir, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(options.outDir, 'report.md'), markdown(report));
  return report;
}

function begin(options: HilOptions, what: string): void {
  if (options.signal?.aborted) throw new KitError('E_INTERRUPTED', 'interrupted', 'run it again', 'interrupt');
  options.onProgress?.(what);
}

async function allChecks(options: HilOptions, robot: LoadedRobot): Promise<CheckResult[]> {
  // The emulated board has its own programs in real time below: here its time may be virtual, and nothing depends on this machine.
  const rig = await openRig(options.rig === 'avr' ? 'avr-lockstep' : options.rig, robot);
  try {
    const results: CheckResult[] = [];
    for (const check of rigChecks) {
      begin(options, check.name);
      results.push(await checkRig(rig, robot, check));
    }
    return results;
  } finally {
    await rig.close();
  }
}

async function boardReport(options: HilOptions, robot: LoadedRobot): Promise<BoardReport> {
  const { deadlineMs } = siteOn(robot.site, 'kitlink').bus;
  const safety: SafetyResult[] = [];
  for (const scenario of safetyScenarios) {
    begin(options, scenario.name);
    const outcome = await scenario.run(robot);
    const passed = outcome.arm === scenario.arm && outcome.settledMs <= deadlineMs + 2 * periodMs;
    safety.push({ name: scenario.name, expected: scenario.arm, passed, ...outcome });
  }
  begin(options, `a host program in real time for ${options.seconds} s, then kill -9`);
  return { image: firmwareImage, safety, ...(await realTime(options, deadlineMs)) };
}

async function realTime(options: HilOptions, deadlineMs: number) {
  const rig = await startAvrRig({ robot: options.robot, imagePath: firmwareImage });
  try {
    const host = await startSwinging(options.robot, rig.path);
    await rig.tell({ kind: 'clear' });
    await sleep(options.seconds * 1000, undefined, options.signal ? { signal: options.signal } : {});
    const measured = await rig.report();
    host.kill('SIGKILL');
    const holdMs = await latchedAfterMs(rig);
    const { realTimeFactor, slippedUs } = measured;
    return {
      killed: { holdMs, deadlineMs, passed: holdMs <= deadlineMs + tellingMs },
      realTimeFactor,
      slippedUs,
      ...(measured.keptUp && {
        latency: {
          sensorToRegisterUs: histogram(measured.sensorToRegisterUs),
          registerToPulseUs: histogram(measured.registerToPulseUs),
        },
      }),
    };
  } finally {
    await rig.stop();
  }
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

function histogram(values: readonly number[]): HistogramJson {
  const filled = new Histogram();
  for (const value of values) filled.record(value);
  return filled.toJSON();
}

function markdown({ robot, rig, passed, checks, board }: HilReport): string {
  const mark = (ok: boolean) => (ok ? 'ok' : '**failed**');
  return `# Hardware in the loop: ${robot} on ${rig}

${passed ? 'Everything held.' : '**Something did not hold: see below.**'}

## What every arm must do

| | check | seen instead |
| --- | --- | --- |
${checks.map(check => `| ${mark(check.passed)} | ${check.name} | ${check.detail} |`).join('\n')}
${board === undefined ? '' : boardMarkdown(board, mark)}`;
}

function boardMarkdown(board: BoardReport, mark: (ok: boolean) => string): string {
  const { image, safety, killed, latency, slippedUs, realTimeFactor } = board;
  const row = ({ name, expected, arm, settledMs, device, reason, passed, detail }: SafetyResult) =>
    `| ${mark(passed)} | ${name} | ${detail} | ${arm}${arm === expected ? '' : ` (should be ${expected})`} | ${settledMs.toFixed(1)} | ${device}${reason === '' ? '' : `: ${reason}`} |`;
  const line = (name: string, h: HistogramJson) =>
    `| ${name} | ${h.count} | ${h.p50.toFixed(0)} | ${h.p99.toFixed(0)} | ${h.p999.toFixed(0)} | ${h.max.toFixed(0)} |`;
  return `
The firmware image is ${basename(image)}, run instruction by instruction.

## Faults

| | fault | what was done | the arm | pulses changed for, ms | the board's own word |
| --- | --- | --- | --- | --- | --- |
${safety.map(row).join('\n')}

## kill -9 of a real host program

Held ${killed.holdMs.toFixed(1)} ms after its last byte (deadline ${killed.deadlineMs} ms, and one period to tell of it): ${mark(killed.passed)}.

## Latency inside the board, µs

${
  latency === undefined
    ? `Not reported: this machine lost ${(slippedUs / 1000).toFixed(0)} ms while it emulated the board.`
    : `| | count | p50 | p99 | p99.9 | max |
| --- | --- | --- | --- | --- | --- |
${line('sensor to register', latency.sensorToRegisterUs)}
${line('register to end of pulse', latency.registerToPulseUs)}`
}

The rig could have run ${realTimeFactor.toFixed(1)} times as fast as real time.
`;
}
