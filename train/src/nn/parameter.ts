/** A parameter tensor before it has values: its name within the group, its shape, and how to draw its first values. */
import type { Random } from '@sim2servo/models/random';

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initialise: (random: Random, out: Float32Array) => void;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function constantInitialiser(value: number): Parameter['initialise'] {
  return (_random, out) => {
    out.fill(value);
  };
}

/**
 * Uniform in ±1/√fanIn, for kernels and biases: what `torch.nn.Linear` starts from (Kaiming uniform with a = √5), and so what the
 * published SAC results started from.
 */
export function fanInUniform(fanIn: number): Parameter['initialise'] {
  const bound = 1 / Math.sqrt(fanIn);
  return (random, out) => {
    for (let i = 0; i < out.length; i++) out[i] = random.uniform(-bound, bound);
  };
}

/** The same parameter under a longer name: how a part is put into a whole. */
export function prefixed(prefix: string, parameters: readonly Parameter[]): Parameter[] {
  return parameters.map(parameter => ({ ...parameter, name: `${prefix}/${parameter.name}` }));
}
