/**
 * An engine runs what an algorithm declares: fill `batch` and `noise`, call `update`. Every engine does the same arithmetic, so a test
 * can hold one against another, and a state saved by one loads into another.
 *
 * Observations given to an engine are already normalised; the replay holds raw ones.
 */
import type { Random } from '@sim2servo/models/random';
import type { Scalars } from '../algorithms/algorithm.js';

/** Engines by name; `split` is the default. */
export const engineNames = [
  'split',
  'fused-cpu',
  'fused-webgpu',
  'fused-cuda',
  'fused-coreml',
  'fused-dml',
  'eager-cpu',
  'eager-wasm',
  'eager-tfjs-node-gpu',
] as const;
export type EngineName = (typeof engineNames)[number];

/** Copies of everything an engine holds. Names are `group/parameter`, e.g. `actor/hidden0/kernel`; averages are among the parameters. */
export interface EngineState {
  readonly algorithm: string;
  readonly updates: number;
  /** Optimiser steps taken, by group. */
  readonly optimiserSteps: Readonly<Record<string, number>>;
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly firstMoments: Readonly<Record<string, Float32Array>>;
  readonly secondMoments: Readonly<Record<string, Float32Array>>;
}

export interface Engine {
  readonly name: EngineName;
  /** How many whole updates one update() makes; 1 where it is absent. `batch` and `noise` hold as many, one after the other. */
  readonly updatesPerCall?: number;
  /**
   * Rows of the replay, row-major: `observation` [batch, observation], `action` [batch, action], `reward` [batch], `nextObservation`,
   * `terminated` [batch] (1 or 0). Fill, then update().
   */
  readonly batch: Readonly<Record<string, Float32Array>>;
  /** The random draws that an update consumes. Fill with {@link drawNoise} (or by hand), then update(). */
  readonly noise: Readonly<Record<string, Float32Array>>;
  /** Fills `noise` from the distributions that the algorithm declares. */
  drawNoise(random: Random): void;
  /**
   * One whole update, or `updatesPerCall`: all programs in their order, and the averages. Metrics by Stable-Baselines3's names, of several
   * updates their mean. The record is reused.
   */
  update(): Scalars | Promise<Scalars>;
  readonly updates: number;
  /** [n, observation] → [n, action] in [−1, 1]; deterministic without noise ([n, actor.noiseSize]). */
  act(observations: Float32Array, noise?: Float32Array): Float32Array | Promise<Float32Array>;
  /** Length of {@link readActor}'s array. */
  readonly actorLength: number;
  /** Writes the actor's parameters, flat, in the layout that ActorSession.load takes. */
  readActor(out: Float32Array): void;
  save(): EngineState;
  load(state: EngineState): void;
  dispose(): void | Promise<void>;
}
