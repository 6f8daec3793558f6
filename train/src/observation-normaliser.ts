/**
 * Puts observations on one scale: minus the mean, over the standard deviation.
 *
 * Both are measured once, on the uniform actions before learning starts, and then frozen. A running normaliser would change what the
 * networks see under their feet, and what a checkpoint means with it; frozen ones are two constants of the exported graph.
 */
import { KitError } from '@sim2servo/models/error';

export interface ObservationNormaliser {
  /** [observationSize] */
  readonly mean: Float32Array;
  /** [observationSize], never below the floor. */
  readonly std: Float32Array;
}

/** A feature that hardly moved in the warm-up is not blown up by more than this says. */
export const stdFloor = 0.05;

/** Leaves observations as they are. */
export function identityNormaliser(size: number): ObservationNormaliser {
  return { mean: new Float32Array(size), std: new Float32Array(size).fill(1) };
}

/**
 * Measures mean and standard deviation of each feature in two passes (one pass loses digits where the mean is large).
 *
 * @param observations [count, size], raw
 */
export function fitNormaliser(observations: Float32Array, size: number, count: number): ObservationNormaliser {
  if (count < 1)
    throw new KitError(
      'E_NO_OBSERVATIONS',
      'A normaliser needs at least one observation, got 0.',
      'Collect some steps first.',
    );
  const sum = new Float64Array(size);
  for (let row = 0; row < count; row++) for (let i = 0; i < size; i++) sum[i]! += observations[row * size + i]!;
  const squares = new Float64Array(size);
  for (let row = 0; row < count; row++)
    for (let i = 0; i < size; i++) squares[i]! += (observations[row * size + i]! - sum[i]! / count) ** 2;
  const mean = Float32Array.from(sum, total => total / count);
  const std = Float32Array.from(squares, total => Math.max(stdFloor, Math.sqrt(total / count)));
  return { mean, std };
}

/** Normalises `rows` observations of `from` into `to`; the two may be the same array. */
export function normalise(normaliser: ObservationNormaliser, from: Float32Array, to: Float32Array, rows = 1): void {
  const { mean, std } = normaliser;
  const size = mean.length;
  for (let at = 0; at < rows * size; at += size)
    for (let i = 0; i < size; i++) to[at + i] = (from[at + i]! - mean[i]!) / std[i]!;
}
