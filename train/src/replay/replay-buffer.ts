/**
 * The replay: a ring of transitions in a `SharedArrayBuffer`, written by the collecting thread and sampled by the learner.
 *
 * A row keeps its own next observation, so the true last observation of an episode survives the reset, and a row at the seam of the
 * ring or of two episodes never reads a stranger's. `terminated` and `truncated` are kept apart: only the first stops the bootstrap.
 * Actions are the executed ones. Observations are raw; they are normalised on their way into the engine's batch.
 *
 * One writer, one reader, taking turns (see collector.ts); the ring itself takes no lock.
 */
import { KitError } from '@sim2servo/models/error';
import type { Random } from '@sim2servo/models/random';
import type { ObservationNormaliser } from '../observation-normaliser.js';

export interface ReplayShape {
  readonly capacity: number;
  readonly observationSize: number;
  readonly actionSize: number;
}

/** What another thread needs to see the same ring; goes through `postMessage` as it is. */
export interface SharedReplay extends ReplayShape {
  readonly memory: SharedArrayBuffer;
}

/** The columns of the filled part, row by row as they stand in the ring. */
export interface ReplayState {
  readonly added: number;
  readonly observation: Float32Array;
  readonly action: Float32Array;
  readonly reward: Float32Array;
  readonly nextObservation: Float32Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
}

/** The part of an engine's batch that a replay fills: `[batch, size]` each, rewards and flags `[batch]`. */
export interface ReplayBatch {
  readonly observation: Float32Array;
  readonly action: Float32Array;
  readonly reward: Float32Array;
  readonly nextObservation: Float32Array;
  readonly terminated: Float32Array;
}

const headerBytes = 16;

export class ReplayBuffer {
  readonly shared: SharedReplay;
  readonly observation: Float32Array;
  readonly action: Float32Array;
  readonly reward: Float32Array;
  readonly nextObservation: Float32Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  readonly #added: Float64Array;

  private constructor(shared: SharedReplay) {
    const { memory, capacity, observationSize, actionSize } = shared;
    this.shared = shared;
    let offset = 0;
    const floats = (length: number) => {
      const view = new Float32Array(memory, offset, length);
      offset += length * 4;
      return view;
    };
    this.#added = new Float64Array(memory, 0, 1);
    offset = headerBytes;
    this.observation = floats(capacity * observationSize);
    this.action = floats(capacity * actionSize);
    this.reward = floats(capacity);
    this.nextObservation = floats(capacity * observationSize);
    this.terminated = new Uint8Array(memory, offset, capacity);
    this.truncated = new Uint8Array(memory, offset + capacity, capacity);
  }

  static create(shape: ReplayShape): ReplayBuffer {
    const { capacity, observationSize, actionSize } = shape;
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new KitError('E_REPLAY_CAPACITY', `A replay cannot hold ${capacity} transitions.`, 'Give a whole number above 0.', 'usage');
    const floatsPerRow = 2 * observationSize + actionSize + 1;
    return new ReplayBuffer({ ...shape, memory: new SharedArrayBuffer(headerBytes + capacity * (floatsPerRow * 4 + 2)) });
  }

  /** The same ring, seen from another thread. */
  static attach(shared: SharedReplay): ReplayBuffer {
    return new ReplayBuffer(shared);
  }

  get capacity(): number {
    return this.shared.capacity;
  }

  /** Transitions ever added; row `added % capacity` is the next to be written. */
  get added(): number {
    return this.#added[0]!;
  }

  /** Transitions that can be sampled. */
  get size(): number {
    return Math.min(this.added, this.capacity);
  }

  /** Adds one transition; past the capacity it replaces the oldest. */
  add(
    observation: Float32Array,
    action: Float32Array,
    reward: number,
    nextObservation: Float32Array,
    terminated: boolean,
    truncated: boolean,
  ): void {
    const { observationSize, actionSize } = this.shared;
    const row = this.added % this.capacity;
    this.observation.set(observation, row * observationSize);
    this.action.set(action, row * actionSize);
    this.reward[row] = reward;
    this.nextObservation.set(nextObservation, row * observationSize);
    this.terminated[row] = terminated ? 1 : 0;
    this.truncated[row] = truncated ? 1 : 0;
    this.#added[0] = this.added + 1;
  }

  /**
   * Draws rows uniformly, with replacement, into rows `from` … `to` of a batch.
   *
   * @param random the only source of chance: the same state draws the same rows
   */
  sample(batch: ReplayBatch, random: Random, normaliser: ObservationNormaliser, from = 0, to = batch.reward.length): void {
    const size = this.size;
    if (size === 0) throw new KitError('E_REPLAY_EMPTY', 'The replay holds no transition to sample.', 'Collect some steps first.', 'bug');
    for (let row = from; row < to; row++) this.#copyRow(random.integer(size), batch, row, normaliser);
  }

  #copyRow(source: number, batch: ReplayBatch, row: number, normaliser: ObservationNormaliser): void {
    const { observationSize: width, actionSize } = this.shared;
    const { mean, std } = normaliser;
    const here = source * width;
    const there = row * width;
    for (let i = 0; i < width; i++) {
      batch.observation[there + i] = (this.observation[here + i]! - mean[i]!) / std[i]!;
      batch.nextObservation[there + i] = (this.nextObservation[here + i]! - mean[i]!) / std[i]!;
    }
    for (let i = 0; i < actionSize; i++) batch.action[row * actionSize + i] = this.action[source * actionSize + i]!;
    batch.reward[row] = this.reward[source]!;
    batch.terminated[row] = this.terminated[source]!;
  }

  /** Copies of the filled part. Rows keep their places, so a restored ring samples the same rows. */
  save(): ReplayState {
    const { observationSize, actionSize } = this.shared;
    const size = this.size;
    return {
      added: this.added,
      observation: this.observation.slice(0, size * observationSize),
      action: this.action.slice(0, size * actionSize),
      reward: this.reward.slice(0, size),
      nextObservation: this.nextObservation.slice(0, size * observationSize),
      terminated: this.terminated.slice(0, size),
      truncated: this.truncated.slice(0, size),
    };
  }

  load(state: ReplayState): void {
    const { observationSize, actionSize } = this.shared;
    const rows = state.reward.length;
    if (
      rows !== Math.min(state.added, this.capacity) ||
      state.observation.length !== rows * observationSize ||
      state.action.length !== rows * actionSize
    )
      throw new KitError(
        'E_REPLAY_SHAPE',
        `A saved replay of ${rows} rows (${state.added} added, ${state.observation.length} observation and ${state.action.length} action values) does not fit a ring of ${this.capacity} rows of ${observationSize} and ${actionSize}.`,
        'Resume with the configuration that the run was started with.',
        'usage',
      );
    this.observation.set(state.observation);
    this.action.set(state.action);
    this.reward.set(state.reward);
    this.nextObservation.set(state.nextObservation);
    this.terminated.set(state.terminated);
    this.truncated.set(state.truncated);
    this.#added[0] = state.added;
  }
}
