/** What `kit hil` has found: plain records, ready for JSON (report.json). Readable as HTML (html.ts) and as Markdown (markdown.ts). */
import type { Bus } from '@sim2servo/models/site';
import type { HistogramJson, HistogramSummary } from '@sim2servo/runtime/histogram';
import type { TickPhase } from '@sim2servo/runtime/tick-timing';
import { type FaultOutcome, sagLimitRad } from '../faults/judge-fault.js';
import type { LogOutcome } from '../faults/judge-log.js';
import type { CheckResult } from '../scenarios/rig-checks.js';
import type { SafetyOutcome } from '../scenarios/safety-scenarios.js';
import type { MadeOn } from './made-on.js';

export const reportFormat = 'sim2servo/hil-report@1';

export interface SafetyResult extends SafetyOutcome {
  readonly name: string;
  readonly expected: 'held' | 'limp';
  readonly passed: boolean;
}

/** A histogram of all runs together, and what each run had: the spread between them is noise of the machine. */
export interface Latency {
  readonly whole: HistogramJson;
  readonly runs: readonly HistogramSummary[];
}

export interface TickCounts {
  readonly ticks: number;
  /** Control periods in which nothing was written: none of the ticks. */
  readonly missed: number;
  /** Ticks without a fresh sample, in which nothing is inferred. */
  readonly stale: number;
}

/** A real host program on a real port. */
export interface RealTimeReport extends TickCounts {
  readonly robot: string;
  readonly bus: Bus['kind'];
  readonly rateHz: number;
  /** What each run had; absent in reports of before this was kept. */
  readonly runs?: readonly TickCounts[];
  readonly phases: Readonly<Record<TickPhase, Latency>>;
  /** Inside the emulated board; absent elsewhere, and where this machine could not emulate it in real time. */
  readonly board?: { readonly sensorToRegisterUs: HistogramJson; readonly registerToPulseUs: HistogramJson };
  /** How well the machine could emulate what hangs on the port; absent of real hardware. */
  readonly rig?: { readonly realTimeFactor: number; readonly slippedUs: number; readonly keptUp: boolean };
  /** Whether it kept its rate; absent in reports of before this was judged. */
  readonly punctual?: CheckResult;
  /** `kill -9` of a host in mid-motion; absent of real hardware. */
  readonly killed?: KilledHost;
}

export interface KilledHost {
  readonly passed: boolean;
  /** From its last byte to the last motion of any joint, or to the board's word that it holds. */
  readonly stoppedMs: number;
  readonly limitMs: number;
  /** The furthest that a joint went after that limit, while it was watched; absent of a board, which says itself that it holds. */
  readonly movedRad?: number;
  readonly log: LogOutcome;
}

export interface ArmChecks {
  readonly robot: string;
  readonly bus: Bus['kind'];
  readonly rig: string;
  readonly checks: readonly CheckResult[];
}

/** Policies that take over from each other while the arm moves. */
export interface SwapResult {
  readonly robot: string;
  /** Its time is virtual where its name ends in `-lockstep`. */
  readonly rig: string;
  readonly passed: boolean;
  /** Why it did not pass. */
  readonly failures: readonly string[];
  readonly takeovers: number;
  /** Ticks that were missed in the three from each takeover on; and everywhere else in the run. */
  readonly missed: number;
  readonly missedElsewhere: number;
  /** How far the period that ended with each takeover was from what it should be; and all other periods. */
  readonly gapUs: HistogramJson;
  readonly othersUs: HistogramJson;
}

export interface HilReport {
  readonly format: typeof reportFormat;
  readonly rig: string;
  readonly passed: boolean;
  readonly madeOn: MadeOn;
  readonly arms: readonly ArmChecks[];
  readonly faults: readonly FaultOutcome[];
  /** What the board does by itself. */
  readonly safety: readonly SafetyResult[];
  readonly swaps: readonly SwapResult[];
  readonly realTime?: RealTimeReport;
  /** Why something was not measured in real time although it was tried; empty else. */
  readonly unmeasured: string;
}

/** The phases that a report shows, and what they are called there. */
export const shownPhases = {
  periodErrorUs: 'period error',
  tickUs: 'tick, read excluded',
  inferUs: 'inference',
  readUs: 'read',
} as const satisfies Partial<Record<TickPhase, string>>;

/** All histograms of a report by name, those of the loop and of the board. */
export function latenciesOf({ phases, board }: RealTimeReport): readonly (readonly [name: string, latency: Latency])[] {
  const alone = (whole: HistogramJson): Latency => ({ whole, runs: [] });
  return [
    ...(Object.keys(shownPhases) as (keyof typeof shownPhases)[]).map(
      phase => [shownPhases[phase], phases[phase]] as const,
    ),
    ...(board === undefined
      ? []
      : [
          ['sensor to register, in the board', alone(board.sensorToRegisterUs)] as const,
          ['register to end of pulse, in the board', alone(board.registerToPulseUs)] as const,
        ]),
  ];
}

export const checkWords = ({ name, detail }: CheckResult): string => (detail === '' ? name : `${name}: ${detail}`);

/** What became of the arm and of the log when its host was killed. */
export function killedWords({ stoppedMs, limitMs, movedRad, log }: KilledHost): string {
  const crept =
    movedRad === undefined
      ? ''
      : `, and went ${(1000 * movedRad).toFixed(0)} mrad after those (${1000 * sagLimitRad} may be)`;
  const wrong = log.wrong === '' ? '' : `: ${log.wrong}`;
  return `the arm stood ${stoppedMs.toFixed(0)} ms after the last byte (at most ${limitMs} may go by)${crept}; ${log.records} of ${log.ticks} ticks can be read of the log${wrong}`;
}

/** What a takeover is, and what it cost. */
export function swapWords({ takeovers, missed, missedElsewhere, othersUs, failures }: SwapResult): string {
  return [
    `policies take over between two ticks: ${missed} ticks missed in ${takeovers} takeovers`,
    ...(missedElsewhere > 0 ? [`${missedElsewhere} in the ${othersUs.count} other ticks`] : []),
    ...failures,
  ].join('; ');
}

/** Beside each other: the periods around takeovers, and all others. */
export function swapGaps({ gapUs, othersUs }: SwapResult): readonly (readonly [name: string, gaps: HistogramJson])[] {
  return [
    ['period error at a takeover', gapUs],
    ['period error of all other ticks', othersUs],
  ];
}

/** In one number each: what is to be read first. */
export function countPassed(results: readonly { readonly passed: boolean }[]): string {
  const passed = results.filter(result => result.passed).length;
  return `${passed} of ${results.length}`;
}
