/** Adam's settings and its bias correction: what is left outside the kernels, and shared by all engines. */
import type { AdamConfig } from '../algorithms/algorithm.js';

export interface AdamStep {
  /** learning rate / (1 − β₁ᵗ) */
  readonly stepSize: number;
  /** 1 / √(1 − β₂ᵗ) */
  readonly rootScale: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** The learning rate of step number `step` (from 1). Falling like 1/t is what stochastic approximation wants (Robbins and Monro 1951). */
export function learningRateAt({ learningRate, halvedAfter = 0 }: AdamConfig, step: number): number {
  return halvedAfter === 0 ? learningRate : learningRate / (1 + (step - 1) / halvedAfter);
}

/** What step number `step` (from 1) multiplies with. */
export function adamStep(config: AdamConfig, step: number): AdamStep {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = config;
  return {
    stepSize: learningRateAt(config, step) / (1 - beta1 ** step),
    rootScale: 1 / Math.sqrt(1 - beta2 ** step),
    beta1,
    beta2,
    epsilon,
  };
}
