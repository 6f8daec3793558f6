/**
 * Where the learner gets the inputs of its engine's calls from: batches out of the replay, and noise.
 *
 * What a block's calls are drawn from is settled when the block begins: the committed part of the replay, the normaliser, and the state of
 * one random generator. So it makes no difference to the numbers whether a call is drawn when it is wanted (inline-batches.ts) or ahead,
 * by another thread (sampler.ts).
 */
import type { Engine } from '../engine/engine.js';
import type { ObservationNormaliser } from '../observation-normaliser.js';

/** What an engine's call reads. */
export type CallInputs = Pick<Engine, 'batch' | 'noise' | 'updatesPerCall'>;

export interface BatchSource {
  /** Begins a block: as many calls will be taken, drawn from what the replay holds now. All of the block before were taken. */
  prepare(calls: number, normaliser: ObservationNormaliser): void | Promise<void>;
  /** Fills the engine's batch and noise for the next call. */
  take(): void | Promise<void>;
  /** The random generator between two blocks. */
  save(): readonly number[] | Promise<readonly number[]>;
  dispose(): void | Promise<void>;
}
