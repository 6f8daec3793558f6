/**
 * Draws the calls of a block in a thread of its own, while the engine runs those before.
 *
 * One message begins a block; from then on the two sides meet in the slots of call-slots.ts. The thread keeps nothing from block to
 * block: generator and normaliser come with the message and the generator goes back with the answer, so the lag is fixed, a run is the same
 * bit for bit as with {@link InlineBatches}, and a checkpoint needs no more.
 */
import { setImmediate as eventsSeen } from 'node:timers/promises';
import type { ObservationNormaliser } from '../observation-normaliser.js';
import type { Logged } from '../replay/mixer.js';
import type { SharedReplay } from '../replay/replay-buffer.js';
import { WorkerTurns } from '../worker-turns.js';
import type { BatchSource, CallInputs } from './batch-source.js';
import type { NoiseInputs } from './call-drawer.js';
import { CallSlots, type SharedCalls, shareCalls } from './call-slots.js';

export interface SamplerSetup {
  readonly calls: SharedCalls;
  readonly noise: NoiseInputs;
  readonly replay: SharedReplay;
  readonly logged?: Logged<SharedReplay> | undefined;
}

/** What a block is drawn from besides the replay. It is answered with the generator's state after the block. */
export interface DrawnBlock {
  readonly calls: number;
  readonly normaliser: ObservationNormaliser;
  readonly random: readonly number[];
}

export interface SamplerOptions extends Omit<SamplerSetup, 'calls'> {
  readonly engine: CallInputs;
  /** State of the generator that the first block begins with. */
  readonly random: readonly number[];
  /** What the thread runs; sampler-worker.ts unless given. */
  readonly script?: URL;
}

export class Sampler implements BatchSource {
  readonly #turns: WorkerTurns<DrawnBlock, readonly number[]>;
  readonly #ring: CallSlots;
  /** Copies the arrays of slot number i to the engine's. */
  readonly #copies: readonly (() => void)[];
  #random: readonly number[];
  /** The block under way: settles when the thread has drawn all of it. */
  #drawing: Promise<void> = Promise.resolve();
  #failure: unknown;

  private constructor(
    turns: WorkerTurns<DrawnBlock, readonly number[]>,
    ring: CallSlots,
    engine: CallInputs,
    random: readonly number[],
  ) {
    this.#turns = turns;
    this.#ring = ring;
    this.#copies = ring.slots.map(slot => copier(slot, engine));
    this.#random = random;
  }

  static async start({ engine, random, script, ...drawn }: SamplerOptions): Promise<Sampler> {
    const calls = shareCalls(engine);
    const setup: SamplerSetup = { ...drawn, calls };
    const turns = await WorkerTurns.start<DrawnBlock, readonly number[]>(
      script ?? new URL('./sampler-worker.js', import.meta.url),
      setup,
    );
    return new Sampler(turns, new CallSlots(calls), engine, random);
  }

  async prepare(calls: number, { mean, std }: ObservationNormaliser): Promise<void> {
    await this.#drawing;
    if (calls === 0) return;
    // Of a view a message would take the whole memory along, such as that of the checkpoint it was read from.
    const normaliser = { mean: mean.slice(), std: std.slice() };
    this.#drawing = this.#turns.ask({ calls, normaliser, random: this.#random }).then(random => {
      this.#random = random;
    });
    this.#drawing.catch((error: unknown) => {
      this.#failure = error;
    });
  }

  take(): void | Promise<void> {
    if (!this.#taken()) return this.#takeLate();
  }

  /** Whether a thread died shows only when the event loop turns. */
  async #takeLate(): Promise<void> {
    do {
      await eventsSeen();
      if (this.#failure !== undefined) throw this.#failure;
    } while (!this.#taken());
  }

  #taken(): boolean {
    return this.#ring.take(slot => this.#copies[slot]!());
  }

  async save(): Promise<readonly number[]> {
    await this.#drawing;
    return this.#random;
  }

  dispose(): Promise<void> {
    return this.#turns.dispose();
  }
}

function copier(from: CallInputs, into: CallInputs): () => void {
  const pairs = (['batch', 'noise'] as const).flatMap(kind =>
    Object.entries(from[kind]).map(([name, values]) => [values, into[kind][name]!] as const),
  );
  return () => {
    for (const [values, target] of pairs) target.set(values);
  };
}
