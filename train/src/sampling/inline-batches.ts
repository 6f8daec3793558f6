/** Draws each call when it is wanted, on the learner's own thread. */
import type { Random } from '@sim2servo/models/random';
import type { ObservationNormaliser } from '../observation-normaliser.js';
import type { TransitionSource } from '../replay/mixer.js';
import type { BatchSource, CallInputs } from './batch-source.js';
import { callDrawer, type NoiseInputs } from './call-drawer.js';

export class InlineBatches implements BatchSource {
  readonly #draw: (random: Random, normaliser: ObservationNormaliser) => void;
  readonly #random: Random;
  #normaliser: ObservationNormaliser | undefined;

  constructor(engine: CallInputs, noise: NoiseInputs, source: TransitionSource, random: Random) {
    this.#draw = callDrawer(engine, noise, source);
    this.#random = random;
  }

  prepare(_calls: number, normaliser: ObservationNormaliser): void {
    this.#normaliser = normaliser;
  }

  take(): void {
    this.#draw(this.#random, this.#normaliser!);
  }

  save(): readonly number[] {
    return this.#random.save();
  }

  dispose(): void {}
}
