/** The memory that the caller of a vector of environments and its worker threads share: one row for each environment, and one word for each thread. */

export interface VectorShape {
  readonly environments: number;
  readonly workers: number;
  readonly observationSize: number;
  readonly actionSize: number;
}

/** What a thread is at. It waits while `idle`. */
export const workerStates = { idle: 0, stepping: 1, failed: 2 } as const;

export interface VectorBlock {
  /** [workers] one of {@link workerStates} */
  readonly states: Int32Array;
  /** [1] threads that are still at the step: the caller waits for 0, so that it is woken once a step and not by each. */
  readonly pending: Int32Array;
  /** [environments, actionSize] written by the caller, in [−1, 1] */
  readonly action: Float32Array;
  /** [environments, actionSize] what was executed of it */
  readonly executedAction: Float32Array;
  /** [environments] */
  readonly reward: Float64Array;
  /** [environments] 0 or 1 */
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  /** [environments, observationSize] where the step led to, the last observation of an episode included: what learning stores. */
  readonly nextObservation: Float32Array;
  /** [environments, observationSize] what to act on now: the same, or the first of a new episode where one has ended. */
  readonly observation: Float32Array;
}

/** Lays the views into `buffer`, or into a new one. */
export function vectorBlock(
  shape: VectorShape,
  buffer?: SharedArrayBuffer,
): { buffer: SharedArrayBuffer } & VectorBlock {
  const { environments, workers, observationSize, actionSize } = shape;
  // Doubles first: everything after them may start at any multiple of four bytes, the flags anywhere.
  const floats = environments * (2 * actionSize + 2 * observationSize);
  const bytes = 8 * environments + 4 * (workers + 1 + floats) + 2 * environments;
  const memory = buffer ?? new SharedArrayBuffer(bytes);
  let at = 0;
  const next = <Made extends { readonly byteLength: number }>(
    Kind: new (buffer: SharedArrayBuffer, offset: number, length: number) => Made,
    length: number,
  ): Made => {
    const made = new Kind(memory, at, length);
    at += made.byteLength;
    return made;
  };
  return {
    buffer: memory,
    reward: next(Float64Array, environments),
    states: next(Int32Array, workers),
    pending: next(Int32Array, 1),
    action: next(Float32Array, environments * actionSize),
    executedAction: next(Float32Array, environments * actionSize),
    nextObservation: next(Float32Array, environments * observationSize),
    observation: next(Float32Array, environments * observationSize),
    terminated: next(Uint8Array, environments),
    truncated: next(Uint8Array, environments),
  };
}
