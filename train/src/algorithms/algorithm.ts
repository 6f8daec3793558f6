/**
 * What an algorithm is: a declaration of parameters, losses and their order. It knows nothing of optimisers, gradients, threads or
 * ONNX; an engine runs it (see engine/engine.ts).
 *
 * The long form is `programs` (a loss with its metrics, and whose parameters it trains) and `update` (which program's gradient is
 * applied when, which average follows). Most off-policy algorithms need only the short form of short-form.ts, which expands to it.
 * Randomness is an input, so the same inputs give the same numbers on every engine.
 */
import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { Parameter } from '../nn/parameter.js';

export interface Sizes {
  readonly observation: number;
  readonly action: number;
}

export interface AdamConfig {
  readonly learningRate: number;
  /** Step at which the learning rate has fallen to half, like 1/(1 + step/this); 0 or absent: it never falls. */
  readonly halvedAfter?: number;
  /** Decay of the first moment. */
  readonly beta1?: number;
  /** Decay of the second moment. */
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** Parameters that are trained together, and how. */
export interface Group {
  readonly parameters: readonly Parameter[];
  readonly optimiser: AdamConfig;
}

/** A Polyak copy: target ← target + tau·(source − target). It starts equal to its source. */
export interface Average {
  readonly of: string;
  readonly tau: number;
}

/**
 * Where an input's values come from. `normal`: standard normal draws. `subset`: each row marks `choose` of its columns with 1 (drawn
 * without replacement), the others with 0.
 */
export type Draw = { readonly kind: 'normal' } | { readonly kind: 'subset'; readonly choose: number };

export interface NoiseInput {
  readonly shape: readonly number[];
  readonly draw: Draw;
}

/** Tensors by parameter name, as the functions of nn/ take them. */
export type Weights = Readonly<Record<string, Tensor>>;

/** What a program sees. */
export interface ProgramInputs {
  /** Groups and averages by name. */
  readonly groups: Readonly<Record<string, Weights>>;
  readonly batch: Readonly<Record<string, Tensor2D>>;
  readonly noise: Readonly<Record<string, Tensor2D>>;
}

export interface ProgramOutputs {
  readonly loss: Scalar;
  /** By the names RL people know: `train/critic_loss`. */
  readonly metrics: Readonly<Record<string, Scalar>>;
}

export interface Program {
  /** Groups that get this loss's gradient. A loss of several is a sum of terms kept apart by `detach`. */
  readonly trains: readonly string[];
  readonly run: (inputs: ProgramInputs) => ProgramOutputs;
}

export type Instruction =
  | { readonly kind: 'apply'; readonly program: string }
  | { readonly kind: 'average'; readonly average: string };

/** Scalars read back from the last instruction: its metrics. */
export type Scalars = Readonly<Record<string, number>>;

/** The policy: which group it needs, and its two ways to act. Rows in, rows out, actions in [−1, 1]. */
export interface Actor {
  readonly group: string;
  /** Columns of the noise that `act` takes. */
  readonly noiseSize: number;
  readonly act: (weights: Weights, observation: Tensor2D, noise: Tensor2D) => Tensor2D;
  readonly actDeterministic: (weights: Weights, observation: Tensor2D) => Tensor2D;
}

/** An algorithm for given sizes and settings: what engines consume. */
export interface Declaration {
  readonly algorithm: string;
  readonly sizes: Sizes;
  readonly groups: Readonly<Record<string, Group>>;
  readonly averages: Readonly<Record<string, Average>>;
  /** Shapes [rows, columns] of what the replay fills. */
  readonly batch: Readonly<Record<string, readonly [number, number]>>;
  readonly noise: Readonly<Record<string, NoiseInput>>;
  readonly programs: Readonly<Record<string, Program>>;
  /** The order within update number `index` (from 0). `yield` hands back the scalars of that instruction. */
  readonly update: (index: number) => Generator<Instruction, void, Scalars>;
  readonly actor: Actor;
}

export interface Algorithm<Config> {
  readonly name: string;
  readonly paper: string;
  readonly defaults: Readonly<Config>;
  /** One sentence for each setting; the command line prints it as help. */
  readonly meaning: Readonly<Record<keyof Config, string>>;
  readonly declare: (sizes: Sizes, config: Readonly<Config>) => Declaration;
}
