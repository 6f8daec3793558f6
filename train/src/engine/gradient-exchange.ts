/**
 * How shards agree: each writes the gradient of its part of the batch where all can read it, waits for the others, and takes the mean of
 * all in one order. Then every shard does the same optimiser step on the same numbers, so their parameters stay equal bit for bit.
 *
 * ONNX Runtime and the optimiser take no shared memory, so gradients are copied out and in: about 0.03 ms a megabyte.
 */
import { KitError } from '@sim2servo/models/error';
import type { Region } from './arena.js';
import { lineFloats } from './group-layout.js';
import type { OptimiserKernels } from './optimiser-kernels.js';
import { Rendezvous, rendezvousBytes } from './rendezvous.js';

export interface SharedExchange {
  readonly shards: number;
  /** Floats in one slot. */
  readonly slotFloats: number;
  readonly control: SharedArrayBuffer;
  /** Two slots for each shard, used in turn: who is already at the next exchange must not write where others still read this one. */
  readonly slots: SharedArrayBuffer;
}

/** What is exchanged of a trained group, and what is compared. */
export interface ExchangedGroup {
  readonly name: string;
  readonly gradients: Region;
  readonly parameters: Region;
}

/** Parameters compared in one exchange. */
const comparedFloats = 2048;

/** Its multiples, without their whole part, spread evenly over [0, 1), whichever of them are taken at equal distances. */
const goldenRatio = (1 + Math.sqrt(5)) / 2;

/** @param floats  gradients and scalars of the largest program */
export function shareExchange(shards: number, floats: number): SharedExchange {
  // One more for the fingerprint. Slots begin on a cache line, as regions of the arena do: V8 copies to and from shared memory byte by byte
  // where the two sides are not aligned alike.
  const slotFloats = Math.ceil((floats + 1) / lineFloats) * lineFloats;
  return {
    shards,
    slotFloats,
    control: new SharedArrayBuffer(rendezvousBytes),
    slots: new SharedArrayBuffer(2 * shards * slotFloats * 4),
  };
}

export class GradientExchange {
  readonly rendezvous: Rendezvous;
  readonly #shard: number;
  /** [turn][shard] */
  readonly #slots: readonly (readonly Float32Array[])[];
  #round = 0;

  constructor({ shards, slotFloats, control, slots }: SharedExchange, shard: number) {
    this.#shard = shard;
    this.rendezvous = new Rendezvous(control, shards);
    const slot = (i: number) => new Float32Array(slots, i * slotFloats * 4, slotFloats);
    this.#slots = [0, shards].map(first => Array.from({ length: shards }, (_, i) => slot(first + i)));
  }

  /**
   * Replaces gradients and scalars by their mean over all shards.
   *
   * @param others  room for the largest group
   * @throws KitError E_SHARDS_DIFFER where another shard's parameters are not these: a piece of them is compared each time, all in turn
   */
  average(
    groups: readonly ExchangedGroup[],
    scalars: Float32Array,
    others: Region,
    { accumulate }: Pick<OptimiserKernels, 'accumulate'>,
  ): void {
    const slots = this.#slots[this.#round % 2]!;
    const mine = slots[this.#shard]!;
    let at = 0;
    for (const { gradients } of groups) {
      mine.set(gradients.values, at);
      at += gradients.values.length;
    }
    mine.set(scalars, at);
    const last = mine.length - 1;
    mine[last] = fingerprint(groups, this.#round);
    this.rendezvous.meet();
    if (slots.some(slot => slot[last] !== mine[last]))
      throw new KitError(
        'E_SHARDS_DIFFER',
        `The parameters of ${groups.map(({ name }) => name).join(' and ')} are no longer the same on all threads.`,
        'Resume from the last checkpoint; report it, with the machine that it happened on.',
        'bug',
      );
    at = 0;
    const share = 1 / slots.length;
    for (const { gradients } of groups) {
      const { values, byteOffset } = gradients;
      const end = at + values.length;
      // Of the first two, either may be added to the other: a + b is b + a. From then on the order counts.
      if (this.#shard > 1) values.set(slots[0]!.subarray(at, end));
      const added = slots.filter((_, i) => (this.#shard > 1 ? i > 0 : i !== this.#shard));
      added.forEach((slot, i) => {
        others.values.set(slot.subarray(at, end));
        accumulate(byteOffset, others.byteOffset, values.length, i === added.length - 1 ? share : 1);
      });
      at = end;
    }
    for (let i = 0; i < scalars.length; i++) {
      let sum = slots[0]![at + i]!;
      for (let s = 1; s < slots.length; s++) sum = Math.fround(sum + slots[s]![at + i]!);
      scalars[i] = sum * share;
    }
    this.#round++;
  }
}

/** Of one piece of the parameters, another each round, so that each comes in sooner or later: a number that every float32 can hold. */
function fingerprint(groups: readonly ExchangedGroup[], round: number): number {
  const place = ((round + 1) * goldenRatio) % 1;
  let sum = 0;
  for (const { parameters } of groups) {
    const { buffer, byteOffset, length } = parameters.values;
    const begin = Math.floor(place * (length + comparedFloats)) - comparedFloats;
    const from = Math.max(0, begin);
    const words = new Int32Array(buffer, byteOffset + from * 4, Math.min(begin + comparedFloats, length) - from);
    for (let i = 0; i < words.length; i++) sum = (Math.imul(sum, 31) + words[i]!) | 0;
  }
  return sum & 0xffffff;
}
