/**
 * The other threads of the split engine: each holds a whole copy of the learner's state and computes the gradient of its part of the batch.
 * The calling thread is shard 0; it commands, the others follow (shard-worker.ts).
 */
import { once } from 'node:events';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { type PackedError, unpackError } from '@sim2servo/models/packed-error';
import { elementCount } from '../nn/parameter.js';
import type { CompiledPrograms } from './compiled-programs.js';
import type { EngineState } from './engine.js';
import { GradientExchange, type SharedExchange, shareExchange } from './gradient-exchange.js';
import { type SharedInput, shareInputs } from './shared-inputs.js';

/** What a following thread is started with. */
export interface ShardSetup {
  readonly compiled: CompiledPrograms;
  readonly exchange: SharedExchange;
  readonly inputs: Readonly<Record<string, SharedInput>>;
  readonly shard: number;
  readonly port: MessagePort;
}

export type ShardMessage = { readonly load: EngineState };
export type ShardReply = { readonly ready: true } | { readonly error: PackedError };

/** Commands: 0 and 1, then a number for each program, then one for each average. */
export const [stopCommand, loadCommand, firstProgram] = [0, 1, 2] as const;

export class Shards {
  readonly exchange: GradientExchange;
  readonly inputs: Readonly<Record<string, SharedInput>>;
  readonly #workers: readonly Worker[];
  readonly #ports: readonly MessagePort[];
  readonly #codes: ReadonlyMap<string, number>;

  private constructor(
    exchange: GradientExchange,
    inputs: Readonly<Record<string, SharedInput>>,
    workers: readonly Worker[],
    ports: readonly MessagePort[],
    codes: ReadonlyMap<string, number>,
  ) {
    this.exchange = exchange;
    this.inputs = inputs;
    this.#workers = workers;
    this.#ports = ports;
    this.#codes = codes;
  }

  /** @param count  threads, the calling one included */
  static async start(compiled: CompiledPrograms, count: number): Promise<Shards> {
    const shared = shareExchange(count, exchangedFloats(compiled));
    const inputs = shareInputs(compiled, count);
    const workers: Worker[] = [];
    const ports: MessagePort[] = [];
    const started = [];
    for (let shard = 1; shard < count; shard++) {
      const { port1, port2 } = new MessageChannel();
      const setup: ShardSetup = { compiled, exchange: shared, inputs, shard, port: port2 };
      const worker = new Worker(new URL('./shard-worker.js', import.meta.url), {
        workerData: setup,
        transferList: [port2],
      });
      workers.push(worker);
      ports.push(port1);
      started.push(
        new Promise<void>((resolve, reject) => {
          worker.once('error', reject);
          port1.once('message', (reply: ShardReply) =>
            'error' in reply ? reject(unpackError(reply.error)) : resolve(),
          );
        }),
      );
    }
    const exchange = new GradientExchange(shared, 0);
    const shards = new Shards(exchange, inputs, workers, ports, commandCodes(compiled));
    try {
      await Promise.all(started);
    } catch (error) {
      await shards.dispose();
      throw error;
    }
    // From here on they talk through shared memory; a process that ends does not wait for them.
    for (const worker of workers) worker.unref();
    for (const port of ports) port.unref();
    return shards;
  }

  /** Has the others run a program, or an average, beside the caller. */
  command(kind: 'program' | 'average', name: string): void {
    this.exchange.rendezvous.command(this.#codes.get(`${kind}/${name}`)!);
  }

  /** Why a meeting failed: the first error that a thread reported, or else the one that the meeting threw. */
  reasonFor(thrown: unknown): unknown {
    for (const port of this.#ports) {
      const reply = receiveMessageOnPort(port)?.message as ShardReply | undefined;
      if (reply !== undefined && 'error' in reply) return unpackError(reply.error);
    }
    return thrown;
  }

  load(state: EngineState): void {
    for (const port of this.#ports) port.postMessage({ load: state } satisfies ShardMessage);
    this.exchange.rendezvous.command(loadCommand);
    this.exchange.rendezvous.meet();
  }

  /** The threads end by themselves: one that is ended from outside in the middle of a native call can take the process with it. */
  async dispose(): Promise<void> {
    const running = this.#workers.filter(({ threadId }) => threadId !== -1);
    const ended = running.map(worker => once(worker, 'exit'));
    for (const worker of running) worker.ref();
    this.exchange.rendezvous.command(stopCommand);
    for (const port of this.#ports) port.close();
    await Promise.all(ended);
  }
}

/** The same numbers on both sides of a command. */
export function commandCodes({ programs, averages }: CompiledPrograms): ReadonlyMap<string, number> {
  const names = [
    ...Object.keys(programs).map(name => `program/${name}`),
    ...Object.keys(averages).map(name => `average/${name}`),
  ];
  return new Map(names.map((name, i) => [name, firstProgram + i]));
}

function exchangedFloats({ programs, groups }: CompiledPrograms): number {
  return Math.max(
    ...Object.values(programs).map(({ trains, outputs }) => {
      const gradients = trains.reduce((sum, name) => sum + groups[name]!.layout.length, 0);
      const scalars = Object.entries(outputs).filter(([name]) => !name.startsWith('gradient/'));
      return gradients + scalars.reduce((sum, [, shape]) => sum + elementCount(shape), 0);
    }),
  );
}
