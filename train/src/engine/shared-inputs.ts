/** Batch and noise of all shards, where the caller fills them and each shard takes its part. */
import { elementCount } from '../nn/parameter.js';
import type { CompiledPrograms } from './compiled-programs.js';

export interface SharedInput {
  readonly memory: SharedArrayBuffer;
  /** True where each shard has rows of its own; false where all read the same. */
  readonly cut: boolean;
}

/** By flat name: `batch/reward`, `noise/next`. */
export function shareInputs({ inputs, cut, parts }: CompiledPrograms, shards: number): Record<string, SharedInput> {
  return Object.fromEntries(
    Object.entries(inputs)
      .filter(([name]) => name.startsWith('batch/') || name.startsWith('noise/'))
      .map(([name, shape]) => {
        const isCut = cut.includes(name);
        const floats = elementCount(shape) * (isCut ? shards * parts : 1);
        return [name, { memory: new SharedArrayBuffer(floats * 4), cut: isCut }];
      }),
  );
}

/** Copies a shard's part of each input into its own arrays; the returned function does it again. */
export function takeInputs(
  inputs: Readonly<Record<string, SharedInput>>,
  own: {
    readonly batch: Readonly<Record<string, Float32Array>>;
    readonly noise: Readonly<Record<string, Float32Array>>;
  },
  shard: number,
): () => void {
  const copies = Object.entries(inputs).map(([name, { memory, cut }]) => {
    const [kind, key] = name.split('/') as ['batch' | 'noise', string];
    const into = own[kind][key]!;
    const from = new Float32Array(memory, cut ? shard * into.byteLength : 0, into.length);
    return { into, from };
  });
  return () => {
    for (const { into, from } of copies) into.set(from);
  };
}
