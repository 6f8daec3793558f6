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

/** What step number `step` (from 1) multiplies with. */
export function adamStep(
  { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamConfig,
  step: number,
): AdamStep {
  return {
    stepSize: learningRate / (1 - beta1 ** step),
    rootScale: 1 / Math.sqrt(1 - beta2 ** step),
    beta1,
    beta2,
    epsilon,
  };
}
