/**
 * Batches of two sources: a share from the logs of the real arm, the rest from the simulation (RLPD, arXiv 2302.02948 §4.1: half and half).
 *
 * The share is exact in every batch, not on average: the rare source must not vanish from a batch by chance.
 */
import { KitError } from '@sim2servo/models/error';
import type { Random } from '@sim2servo/models/random';
import type { ObservationNormaliser } from '../observation-normaliser.js';
import type { ReplayBatch, ReplayBuffer } from './replay-buffer.js';

/** Anything a learner can draw a batch from. */
export interface TransitionSource {
  sample(batch: ReplayBatch, random: Random, normaliser: ObservationNormaliser): void;
}

/** Transitions from logs, and which share of each batch they make. */
export interface Logged<Replay = ReplayBuffer> {
  readonly replay: Replay;
  readonly share: number;
}

/** What a run learns from: its own replay, mixed with logs where it has some. */
export function transitionSource(replay: ReplayBuffer, logged: Logged | undefined): TransitionSource {
  return logged === undefined ? replay : new ReplayMixer(logged.replay, replay, logged.share);
}

export class ReplayMixer implements TransitionSource {
  readonly #logged: ReplayBuffer;
  readonly #simulated: ReplayBuffer;
  readonly #loggedShare: number;

  /** @param loggedShare of each batch, 0 … 1; a half is rounded towards the logs */
  constructor(logged: ReplayBuffer, simulated: ReplayBuffer, loggedShare = 0.5) {
    if (!(loggedShare >= 0 && loggedShare <= 1))
      throw new KitError(
        'E_LOGGED_SHARE',
        `${loggedShare} of a batch cannot come from the logs.`,
        'Give a share between 0 and 1.',
        'usage',
      );
    this.#logged = logged;
    this.#simulated = simulated;
    this.#loggedShare = loggedShare;
  }

  /** How many rows of a batch come from the logs; they stand first. */
  loggedRows(batchSize: number): number {
    return Math.ceil(batchSize * this.#loggedShare);
  }

  sample(batch: ReplayBatch, random: Random, normaliser: ObservationNormaliser): void {
    const rows = batch.reward.length;
    const logged = this.loggedRows(rows);
    if (logged > 0) this.#logged.sample(batch, random, normaliser, 0, logged);
    if (logged < rows) this.#simulated.sample(batch, random, normaliser, logged, rows);
  }
}
