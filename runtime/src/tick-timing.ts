/** Where the time of a tick goes: one histogram a phase, all in µs. */
import { Histogram, type HistogramJson } from './histogram.js';

/** What each histogram holds. */
export const tickPhases = {
  periodErrorUs: 'how far two starts of ticks lie from a whole number of periods apart',
  readUs: 'from asking for the state to having it; holds the wait for a sample that is still on its way',
  inferUs: 'the policy, from observation to action',
  shieldUs: 'action to targets, through the shield',
  writeUs: 'handing the targets to the bus',
  tickUs: 'from having the state to the end of the write',
  gcPauseUs: 'the garbage collector in this thread',
  sensorToWriteUs: 'from the instant at which the device sampled to the end of our write',
  sensorToServoUs:
    'from that instant to the first output period that can carry the answer; without such periods as sensorToWriteUs',
} as const;

export type TickPhase = keyof typeof tickPhases;

export class TickTiming {
  readonly periodErrorUs = new Histogram();
  readonly readUs = new Histogram();
  readonly inferUs = new Histogram();
  readonly shieldUs = new Histogram();
  readonly writeUs = new Histogram();
  readonly tickUs = new Histogram();
  readonly gcPauseUs = new Histogram();
  readonly sensorToWriteUs = new Histogram();
  readonly sensorToServoUs = new Histogram();

  toJSON(): Record<TickPhase, HistogramJson> {
    return Object.fromEntries(
      (Object.keys(tickPhases) as TickPhase[]).map(phase => [phase, this[phase].toJSON()]),
    ) as Record<TickPhase, HistogramJson>;
  }
}

/**
 * When the first output period begins that a write ending at `writtenUs` can reach.
 *
 * @param sampledAtUs instant of a sample
 * @param phaseUs     where in its output period the device was at that instant
 */
export function nextOutputUs(writtenUs: number, sampledAtUs: number, phaseUs: number, periodUs: number): number {
  if (!(periodUs > 0)) return writtenUs;
  const start = sampledAtUs - phaseUs;
  return start + Math.ceil((writtenUs - start) / periodUs) * periodUs;
}
