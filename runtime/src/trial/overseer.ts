/** What the loop lets itself be told between two ticks while somebody watches over its policy, and what it shows of each tick. */
import type { Policy } from '../policy-session.js';
import type { TickCounters } from '../tick-counters.js';
import { DriveRing, type DriveRingMemory } from './drive-ring.js';

/** The loop's side. */
export interface Overseer {
  /** 0 … 1: share of velocity and acceleration that the shield lets through in this tick. */
  readonly share: number;
  /** Why the arm must be stopped; empty while all is well. */
  readonly stop: string;
  /** A tick with a fresh sample is over. Neither waits nor allocates on a real clock. */
  ticked(counters: TickCounters, inferUs: number): void;
}

/** The share goes from one end of its range to the other in this time: a sudden one would be a jolt. */
const shareS = 0.5;
/** A watching thread that takes nothing for so long, while time is virtual, is stuck. */
const stuckMs = 20_000;

export interface OverseerOptions {
  readonly memory: DriveRingMemory;
  readonly policy: Policy;
  readonly controlRateHz: number;
  /** Of the policy that drives first, and how fast it may go. */
  readonly serial: number;
  readonly share: number;
  /** Only then the loop waits for the watching thread, which would be left behind else. */
  readonly virtualTime: boolean;
}

export class DriveOverseer implements Overseer {
  stop = '';
  readonly #ring: DriveRing;
  readonly #policy: Policy;
  readonly #virtualTime: boolean;
  readonly #shareStep: number;
  #serial: number;
  #share: number;
  #wanted: number;

  constructor({ memory, policy, controlRateHz, serial, share, virtualTime }: OverseerOptions) {
    this.#ring = new DriveRing(memory);
    this.#policy = policy;
    this.#virtualTime = virtualTime;
    this.#shareStep = 1 / (shareS * controlRateHz);
    this.#serial = serial;
    this.#share = share;
    this.#wanted = share;
  }

  get share(): number {
    return this.#share;
  }

  /** Another policy drives from now on. */
  drivenBy(serial: number, share: number): void {
    this.#serial = serial;
    this.#wanted = share;
  }

  goAt(share: number): void {
    this.#wanted = share;
  }

  ticked(counters: TickCounters, inferUs: number): void {
    const left = this.#wanted - this.#share;
    this.#share += Math.max(-this.#shareStep, Math.min(this.#shareStep, left));
    if (this.#virtualTime && !this.#ring.failed) this.#ring.waitForRoom(stuckMs);
    this.#ring.push(this.#serial, counters, inferUs, this.#policy.observation, this.#policy.action);
  }

  /** Nobody takes anything any more. */
  unwatched(): void {
    this.#ring.fail();
  }

  /** The last tick is over: who watches need not wait for another. */
  close(): void {
    this.#ring.close();
  }
}
