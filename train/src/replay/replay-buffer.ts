/**
 * The replay: a ring of transitions in a `SharedArrayBuffer`, written by the collecting thread and sampled by the learner's side
 * (train/src/sampling).
 *
 * A row keeps its own next observation, so the true last observation of an episode survives the reset, and a row at the seam of the
 * ring or of two episodes never reads a stranger's. `terminated` and `truncated` are kept apart: only the first stops the bootstrap.
 * Actions are the executed ones. Observations are raw; they are normalised on their way into the engine's batch.
 *
 * One writer, one reader, no lock: the writer is up to `slack` rows ahead of what the reader sees, and those rows lie outside of what can
 * be sampled. `commit`, called when the two meet (see collector.ts), shows them. So a batch depends on the block it is drawn in, never on
 * how fast the other thread is.
 */
import { KitError } from '@sim2servo/models/error';
import type { Random } from '@sim2servo/models/random';
import type { ObservationNormaliser } from '../observation-normaliser.js';

export interface ReplayShape {
  /** Transitions that can be sampled once it is full: the newest ones. */
  readonly capacity: number;
  /** How many rows the writer may be ahead of the last commit; 0 where nobody samples while it writes. */
  readonly slack: number;
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

/** An engine's batch, where it has what a replay fills. */
export function asReplayBatch(batch: Readonly<Record<string, Float32Array>>): ReplayBatch {
  const { observation, action, reward, nextObservation, terminated } = batch;
  if (!(observation && action && reward && nextObservation && terminated))
    throw new KitError(
      'E_BATCH',
      `A replay cannot fill a batch of ${Object.keys(batch).join(', ')}.`,
      'Report this: it is a bug.',
      'bug',
    );
  return { observation, action, reward, nextObservation, terminated };
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
  /** [committed, written], ever. */
  readonly #counts: Float64Array;
  readonly #rows: number;

  private constructor(shared: SharedReplay) {
    const { memory, observationSize, actionSize } = shared;
    const rows = shared.capacity + shared.slack;
    this.shared = shared;
    this.#rows = rows;
    let offset = 0;
    const floats = (length: number) => {
      const view = new Float32Array(memory, offset, length);
      offset += length * 4;
      return view;
    };
    this.#counts = new Float64Array(memory, 0, 2);
    offset = headerBytes;
    this.observation = floats(rows * observationSize);
    this.action = floats(rows * actionSize);
    this.reward = floats(rows);
    this.nextObservation = floats(rows * observationSize);
    this.terminated = new Uint8Array(memory, offset, rows);
    this.truncated = new Uint8Array(memory, offset + rows, rows);
  }

  static create(shape: ReplayShape): ReplayBuffer {
    const { capacity, slack, observationSize, actionSize } = shape;
    if (!Number.isInteger(capacity) || capacity < 1 || !Number.isInteger(slack) || slack < 0)
      throw new KitError(
        'E_REPLAY_CAPACITY',
        `A replay cannot hold ${capacity} transitions with a slack of ${slack}.`,
        'Give a whole number above 0.',
        'usage',
      );
    const floatsPerRow = 2 * observationSize + actionSize + 1;
    return new ReplayBuffer({
      ...shape,
      memory: new SharedArrayBuffer(headerBytes + (capacity + slack) * (floatsPerRow * 4 + 2)),
    });
  }

  /** The same ring, seen from another thread. */
  static attach(shared: SharedReplay): ReplayBuffer {
    return new ReplayBuffer(shared);
  }

  get capacity(): number {
    return this.shared.capacity;
  }

  /** Transitions committed, ever. */
  get added(): number {
    return this.#counts[0]!;
  }

  /** Transitions written, ever; what is beyond {@link added} waits for {@link commit}. */
  get written(): number {
    return this.#counts[1]!;
  }

  /** Transitions that can be sampled. */
  get size(): number {
    return Math.min(this.added, this.capacity);
  }

  /** Where in the columns the `age`-th newest committed transition stands (0 is the newest). */
  rowOf(age: number): number {
    return (this.added - 1 - age) % this.#rows;
  }

  /** Writes one transition; {@link commit} shows it to the sampling side. */
  add(
    observation: Float32Array,
    action: Float32Array,
    reward: number,
    nextObservation: Float32Array,
    terminated: boolean,
    truncated: boolean,
  ): void {
    const { observationSize, actionSize, slack } = this.shared;
    const written = this.written;
    if (written >= this.#rows && written - this.added >= slack)
      throw new KitError(
        'E_REPLAY_AHEAD',
        `The writer is ${written - this.added} rows ahead, its slack is ${slack}.`,
        'Commit first.',
        'bug',
      );
    const row = written % this.#rows;
    this.observation.set(observation, row * observationSize);
    this.action.set(action, row * actionSize);
    this.reward[row] = reward;
    this.nextObservation.set(nextObservation, row * observationSize);
    this.terminated[row] = terminated ? 1 : 0;
    this.truncated[row] = truncated ? 1 : 0;
    this.#counts[1] = written + 1;
  }

  /** Shows everything written so far. */
  commit(): void {
    this.#counts[0] = this.written;
  }

  /**
   * Draws rows uniformly, with replacement, into rows `from` … `to` of a batch.
   *
   * @param random the only source of chance: the same state draws the same rows
   */
  sample(
    batch: ReplayBatch,
    random: Random,
    normaliser: ObservationNormaliser,
    from = 0,
    to = batch.reward.length,
  ): void {
    const size = this.size;
    if (size === 0)
      throw new KitError(
        'E_REPLAY_EMPTY',
        'The replay holds no transition to sample.',
        'Collect some steps first.',
        'bug',
      );
    for (let row = from; row < to; row++) this.#copyRow(this.rowOf(random.integer(size)), batch, row, normaliser);
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

  /** Copies of the filled part, when nothing waits for a commit. Rows keep their places, so a restored ring samples the same rows. */
  save(): ReplayState {
    const { observationSize, actionSize } = this.shared;
    if (this.written !== this.added)
      throw new KitError(
        'E_REPLAY_AHEAD',
        `${this.written - this.added} rows are not committed.`,
        'Commit first.',
        'bug',
      );
    const size = Math.min(this.added, this.#rows);
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
      rows !== Math.min(state.added, this.#rows) ||
      state.observation.length !== rows * observationSize ||
      state.action.length !== rows * actionSize
    )
      throw new KitError(
        'E_REPLAY_SHAPE',
        `A saved replay of ${rows} rows (${state.added} added, ${state.observation.length} observation and ${state.action.length} action values) does not fit a ring of ${this.#rows} rows of ${observationSize} and ${actionSize}.`,
        'Resume with the configuration that the run was started with.',
        'usage',
      );
    this.observation.set(state.observation);
    this.action.set(state.action);
    this.reward.set(state.reward);
    this.nextObservation.set(state.nextObservation);
    this.terminated.set(state.terminated);
    this.truncated.set(state.truncated);
    this.#counts.fill(state.added);
  }
}
