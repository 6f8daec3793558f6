/** Where each parameter of a group lies in the group's one flat array. */
import { elementCount, type Parameter } from '../nn/parameter.js';

/** Floats to a cache line: each tensor starts on one, and a SIMD pass over the whole group needs no tail. */
export const lineFloats = 16;

export interface PlacedParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** In floats. */
  readonly offset: number;
  readonly length: number;
}

export interface GroupLayout {
  readonly parameters: readonly PlacedParameter[];
  /** In floats, padding included; the padding stays 0. */
  readonly length: number;
}

export function groupLayout(parameters: readonly Pick<Parameter, 'name' | 'shape'>[]): GroupLayout {
  let end = 0;
  const placed = parameters.map(({ name, shape }) => {
    const length = elementCount(shape);
    const offset = end;
    end += Math.ceil(length / lineFloats) * lineFloats;
    return { name, shape, offset, length };
  });
  return { parameters: placed, length: end };
}
