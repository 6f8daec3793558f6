/**
 * Three ways to run a policy's graph, the fastest that this machine has first.
 *
 * - `native`: ONNX Runtime's native session called synchronously through `onnxruntime-node/dist/binding.js`. The public `run` goes
 *   through a promise and `setImmediate`, which at 50 Hz costs more than the network. The path is private, so the version is pinned
 *   and a test says whether it still works.
 * - `native-async`: the public `run`, should the private path be gone.
 * - `wasm`: onnxruntime-web, where there is no native binary (32-bit Pi OS, musl).
 *
 * One thread and no spinning: a pool that spins between ticks takes the loop's own core (lerobot PR 4264 saw it starve a 50 Hz loop).
 */
import { createRequire } from 'node:module';
import type { WeightTensor } from '@sim2servo/models/bundle/weights-apart';
import { KitError, messageOf } from '@sim2servo/models/error';
import '@sim2servo/models/no-telemetry';
import type { InferenceSession, Tensor } from 'onnxruntime-node';

export const inferenceBackends = ['native', 'native-async', 'wasm'] as const;
export type InferenceBackend = (typeof inferenceBackends)[number];

/** Runs the graph from the input buffer into one of two outputs, all three bound once. */
export interface BoundGraph {
  readonly backend: InferenceBackend;
  /** @param scratch whether the result goes to the buffer that nobody reads */
  run(scratch: boolean): void | Promise<void>;
  dispose(): void | Promise<void>;
}

export interface GraphBuffers {
  readonly observation: Float32Array;
  readonly action: Float32Array;
  readonly scratch: Float32Array;
  /** Where the model is a network alone: what it is to run with. What is written into them later, it runs with then. */
  readonly weights?: readonly WeightTensor[];
}

const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
};

type NativeBinding = typeof import('onnxruntime-node/dist/binding.js');
type Binder = (model: Uint8Array, buffers: GraphBuffers) => Promise<BoundGraph>;

/** A failure of the model, not of the backend: another backend would not help. */
function refused(error: unknown): KitError {
  return new KitError(
    'E_MODEL_LOAD',
    `ONNX Runtime can't load policy.onnx: ${messageOf(error)}`,
    'export the policy again with `kit export`',
    'failed',
    { cause: error },
  );
}

interface TensorMaker<T> {
  new (type: 'float32', data: Float32Array, dims: readonly number[]): T;
}

/** The same three tensors for every run: what is written into a buffer is what the graph reads. */
function bind<T>(TensorOf: TensorMaker<T>, buffers: GraphBuffers) {
  const tensor = (data: Float32Array, dims: readonly number[] = [1, data.length]) =>
    new TensorOf('float32', data, dims);
  const weights = (buffers.weights ?? []).map(({ name, dims, data }) => [name, tensor(data, dims)] as const);
  return {
    feeds: { observation: tensor(buffers.observation), ...Object.fromEntries(weights) },
    fetches: { action: tensor(buffers.action) },
    scratchFetches: { action: tensor(buffers.scratch) },
  };
}

async function bindNative(model: Uint8Array, buffers: GraphBuffers): Promise<BoundGraph> {
  const ort = await import('onnxruntime-node');
  const { binding, initOrt } = createRequire(import.meta.url)('onnxruntime-node/dist/binding.js') as NativeBinding;
  initOrt();
  const session = new binding.InferenceSession();
  try {
    // A copy, since what the file system gave may be a part of a shared pool.
    session.loadModel(new Uint8Array(model).buffer, 0, model.byteLength, sessionOptions);
  } catch (error) {
    throw refused(error);
  }
  const { feeds, fetches, scratchFetches } = bind<Tensor>(ort.Tensor, buffers);
  const runOptions = {};
  return {
    backend: 'native',
    run(scratch) {
      session.run(feeds, scratch ? scratchFetches : fetches, runOptions);
    },
    dispose: () => session.dispose(),
  };
}

async function bindNativeAsync(model: Uint8Array, buffers: GraphBuffers): Promise<BoundGraph> {
  const ort = await import('onnxruntime-node');
  const session = await ort.InferenceSession.create(model, sessionOptions).catch((error: unknown) => {
    throw refused(error);
  });
  const { feeds, fetches, scratchFetches } = bind<Tensor>(ort.Tensor, buffers);
  return {
    backend: 'native-async',
    async run(scratch) {
      await session.run(feeds, scratch ? scratchFetches : fetches);
    },
    dispose: () => session.release(),
  };
}

async function bindWasm(model: Uint8Array, buffers: GraphBuffers): Promise<BoundGraph> {
  const ort = await import('onnxruntime-web');
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'] }).catch((error: unknown) => {
    throw refused(error);
  });
  const { feeds } = bind(ort.Tensor, buffers);
  return {
    backend: 'wasm',
    async run(scratch) {
      // The output lives in the module's own memory: it has to be copied out.
      const result = await session.run(feeds);
      (scratch ? buffers.scratch : buffers.action).set(result.action!.data as Float32Array);
    },
    dispose: () => session.release(),
  };
}

const binders: Record<InferenceBackend, Binder> = {
  native: bindNative,
  'native-async': bindNativeAsync,
  wasm: bindWasm,
};

/**
 * Binds the graph with the first of `candidates` that works here.
 *
 * @throws KitError E_MODEL_LOAD (the model is at fault), E_NO_INFERENCE (no backend can be loaded)
 */
export async function bindGraph(
  model: Uint8Array,
  buffers: GraphBuffers,
  candidates: readonly InferenceBackend[] = inferenceBackends,
  bindersToUse: Readonly<Record<InferenceBackend, Binder>> = binders,
): Promise<BoundGraph> {
  const reasons: string[] = [];
  for (const candidate of candidates) {
    try {
      return await bindersToUse[candidate](model, buffers);
    } catch (error) {
      if (error instanceof KitError) throw error;
      reasons.push(`${candidate}: ${messageOf(error)}`);
    }
  }
  throw new KitError(
    'E_NO_INFERENCE',
    `nothing on this machine can run a policy:\n  ${reasons.join('\n  ')}`,
    'see what is missing with `kit doctor`',
  );
}
