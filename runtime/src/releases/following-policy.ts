/**
 * A policy that another one of the same network takes over from, between two ticks: the weights are copied where the loop rehearses anyway.
 *
 * One that is on trial brings its fallback with it: the first answer of it that is no number brings that one back, without anybody else's
 * doing; so does {@link FollowingPolicy.fallBack}.
 *
 * The new one sees the same observation as the old one would have, and the shield limits velocity and acceleration as ever. Still its
 * actions may be others, so they start from the old one's last action and may go only a part of the way to their own each tick.
 */
import { KitError } from '@sim2servo/models/error';
import type { Policy, PolicySession } from '../policy-session.js';

export interface NextPolicy {
  /** Of its bundle. */
  readonly digest: string;
  readonly name: string;
  /** In the order of the session's. */
  readonly weights: readonly Float32Array[];
  /** By which whoever hands it over knows it again. */
  readonly serial: number;
  /** 0 … 1: share of velocity and acceleration that it may use. */
  readonly share: number;
  /** It is on trial, and this one takes over from it again. */
  readonly fallback?: NextPolicy;
}

/** The time that an action has for its way from one end of its range to the other while a new policy takes over. */
const takeOverS = 0.2;
const actionRange = 2;

export class FollowingPolicy implements Policy {
  readonly observation: Float32Array;
  readonly action: Float32Array;
  readonly #session: PolicySession;
  readonly #tookOver: (next: NextPolicy) => void;
  readonly #last: Float32Array;
  /** That an action may change in a tick while a new policy takes over. */
  readonly #step: number;
  #next: NextPolicy | undefined;
  /** What took over last. */
  #driving: NextPolicy | undefined;
  #fallback: NextPolicy | undefined;
  #takingOver = false;

  /**
   * @param session  exchangeable
   * @param tookOver called between two ticks, before the new one's first inference
   * @param fallback where the session's own policy is on trial
   */
  constructor(
    session: PolicySession,
    controlRateHz: number,
    tookOver: (next: NextPolicy) => void,
    fallback?: NextPolicy,
  ) {
    this.#session = session;
    this.#tookOver = tookOver;
    this.#fallback = fallback;
    this.observation = session.observation;
    this.action = session.action;
    this.#last = new Float32Array(session.action.length);
    this.#step = actionRange / (takeOverS * controlRateHz);
  }

  /** Takes over before the next tick. Of two that come within one tick the later one does. */
  offer(next: NextPolicy): void {
    const { weights } = this.#session;
    if (next.weights.length !== weights.length || next.weights.some((w, i) => w.length !== weights[i]!.data.length))
      throw new KitError(
        'E_POLICY_NETWORK',
        `policy ${next.name} has another network`,
        'end the run, and start it again',
      );
    this.#next = next;
  }

  /** What was there before the trial takes over before the next tick, where it does not drive already; false where there is none. */
  fallBack(): boolean {
    if (this.#next?.fallback !== undefined) this.#next = undefined;
    else if (this.#fallback === undefined) return false;
    else if (this.#driving !== this.#fallback) this.offer(this.#fallback);
    return true;
  }

  /** The trial is over: the policy that drives stays. */
  settle(): void {
    this.#fallback = undefined;
  }

  rehearse(): void | Promise<void> {
    if (this.#next !== undefined) this.#exchange(this.#next);
    return this.#session.rehearse();
  }

  infer(): void | Promise<void> {
    const pending = this.#session.infer();
    return pending === undefined ? this.#limit() : pending.then(() => this.#limit());
  }

  #exchange(next: NextPolicy): void {
    this.#next = undefined;
    if (next !== this.#fallback) this.#fallback = next.fallback;
    this.#driving = next;
    for (const [i, { data }] of this.#session.weights.entries()) data.set(next.weights[i]!);
    this.#takingOver = true;
    this.#tookOver(next);
  }

  /** What is not a number passes: refusing it is the shield's. */
  #limit(): void {
    const { action } = this;
    for (let j = 0; j < action.length; j++)
      if (!Number.isFinite(action[j])) {
        if (this.#next === undefined) this.fallBack();
        return;
      }
    if (this.#takingOver) {
      let left = false;
      for (let j = 0; j < action.length; j++) {
        const way = action[j]! - this.#last[j]!;
        if (Math.abs(way) <= this.#step) continue;
        left = true;
        action[j] = this.#last[j]! + Math.sign(way) * this.#step;
      }
      this.#takingOver = left;
    }
    this.#last.set(action);
  }
}
