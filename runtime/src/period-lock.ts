/**
 * Locks the loop to the device's output period: a phase-locked loop on the instants at which the device samples.
 *
 * A board streams one sample a PWM period, always at the same phase, early enough that the answer still makes the next pulse. A loop
 * that runs free beside it beats against it: 0 to 20 ms of extra delay. So the deadline of a tick is the instant at which its sample
 * is expected to arrive. Resonators of such boards are off by up to 0.5 %, so the period is tracked as well as the phase.
 *
 * Where the device has no such period (`periodUs` 0) deadlines run free at the policy's own rate.
 */
import { KitError } from '@sim2servo/models/error';

/** Gains for critical damping: the second is a quarter of the first's square. */
const phaseGain = 0.2;
const periodGain = phaseGain ** 2 / 4;
const transportGain = 0.1;
/** How far the device's period may be off before it counts as another rate. */
const rateTolerance = 0.02;

export class PeriodLock {
  readonly #controlPeriodUs: number;
  readonly #periodsPerTick: number;
  /** device period, filtered instant of the last sample, time from a sample to its arrival: in an array, so that nothing is allocated. */
  readonly #state: Float64Array;
  #relocks = 0;

  /**
   * @param controlRateHz  the policy's rate
   * @param devicePeriodUs as the device reports it; 0 where it has none
   * @throws KitError E_RATE_BUS where the rate can't be had from this device
   */
  constructor(controlRateHz: number, devicePeriodUs: number, sampledAtUs: number, arrivedUs: number) {
    this.#controlPeriodUs = 1e6 / controlRateHz;
    this.#periodsPerTick = devicePeriodUs > 0 ? Math.round(this.#controlPeriodUs / devicePeriodUs) : 0;
    const error = Math.abs(this.#periodsPerTick * devicePeriodUs - this.#controlPeriodUs);
    if (devicePeriodUs > 0 && (this.#periodsPerTick < 1 || error > rateTolerance * this.#controlPeriodUs))
      throw new KitError(
        'E_RATE_BUS',
        `the policy wants ${controlRateHz} ticks a second, but this board samples every ${devicePeriodUs} µs`,
        `train and export it for ${Math.round(1e6 / devicePeriodUs)} Hz or a whole fraction of that`,
        'usage',
      );
    this.#state = Float64Array.of(devicePeriodUs, sampledAtUs, Math.max(0, arrivedUs - sampledAtUs));
  }

  /** Time between two ticks as the device's clock has it now. */
  get tickPeriodUs(): number {
    return this.#periodsPerTick > 0 ? this.#periodsPerTick * this.#state[0]! : this.#controlPeriodUs;
  }

  /** Time between two samples. */
  get samplePeriodUs(): number {
    return this.#periodsPerTick > 0 ? this.#state[0]! : this.#controlPeriodUs;
  }

  /** From a sample to its arrival here. */
  get transportUs(): number {
    return this.#state[2]!;
  }

  /** How often the phase jumped by more than a quarter of a period and was taken anew. */
  get relocks(): number {
    return this.#relocks;
  }

  /**
   * Takes in a fresh sample.
   *
   * @param arrivedUs when it was there
   * @param waited    whether we saw it arrive; otherwise it was there before `arrivedUs`
   */
  observe(sampledAtUs: number, arrivedUs: number, waited: boolean): void {
    const state = this.#state;
    if (this.#periodsPerTick === 0) return;
    const period = state[0]!;
    const periods = Math.max(1, Math.round((sampledAtUs - state[1]!) / period));
    const error = sampledAtUs - (state[1]! + periods * period);
    if (Math.abs(error) > period / 4) {
      state[1] = sampledAtUs;
      this.#relocks++;
    } else {
      state[1] = state[1]! + periods * period + phaseGain * error;
      state[0] = period + (periodGain * error) / periods;
    }
    const transport = Math.max(0, arrivedUs - sampledAtUs);
    if (waited) state[2]! += transportGain * (transport - state[2]!);
    // Not seen arriving: it took at most this long. Shrinking makes the loop look earlier, until it sees one arrive.
    else state[2] = Math.min(state[2]!, transport) * (1 - transportGain / 2);
  }

  /** The deadline `ticks` after `deadlineUs`, on the grid of expected arrivals. */
  next(deadlineUs: number, ticks = 1): number {
    const nominal = deadlineUs + ticks * this.tickPeriodUs;
    if (this.#periodsPerTick === 0) return nominal;
    const period = this.#state[0]!;
    const origin = this.#state[1]! + this.#state[2]!;
    return origin + Math.round((nominal - origin) / period) * period;
  }
}
