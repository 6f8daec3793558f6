/**
 * Runs an ONNX model with ONNX Runtime on one thread, synchronously where it can.
 *
 * `InferenceSession.run` of onnxruntime-node defers the native call with setImmediate: a turn of the event loop for each call, three for
 * each update. The native session underneath is synchronous. It is no public interface, so the version is pinned, and where it has
 * changed the public one is used.
 */
import { createRequire } from 'node:module';
import * as ort from 'onnxruntime-node';

export type Tensors = Record<string, ort.Tensor>;

export interface GraphSession {
  /** Reads `feeds`, writes into `fetches`: the same objects every time, nothing is allocated here. */
  run(feeds: Tensors, fetches: Tensors): undefined | Promise<void>;
  dispose(): undefined | Promise<void>;
}

interface NativeSession {
  loadModel(buffer: ArrayBufferLike, byteOffset: number, byteLength: number, options: object): void;
  run(feeds: Tensors, fetches: Tensors, options: object): unknown;
  dispose(): void;
}

interface NativeBinding {
  readonly binding: { readonly InferenceSession: new () => NativeSession };
  readonly initOrt: () => void;
}

export const sessionOptions: ort.InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  // Weights of dead units decay into denormals, which many CPUs compute with a hundred times slower.
  extra: { session: { set_denormal_as_zero: '1' } },
};

/** The native binding, or undefined where onnxruntime-node keeps it elsewhere. */
export function nativeBinding(): NativeBinding | undefined {
  try {
    const found = createRequire(import.meta.url)('onnxruntime-node/dist/binding.js') as Partial<NativeBinding>;
    const usable = typeof found.initOrt === 'function' && typeof found.binding?.InferenceSession === 'function';
    return usable ? (found as NativeBinding) : undefined;
  } catch {
    // Not there: the public interface does the same, later.
    return undefined;
  }
}

export type OpenGraph = (model: Uint8Array) => Promise<GraphSession>;

export async function openGraph(model: Uint8Array): Promise<GraphSession> {
  const native = nativeBinding();
  if (native === undefined) return openPublic(model);
  native.initOrt();
  const session = new native.binding.InferenceSession();
  session.loadModel(model.buffer, model.byteOffset, model.byteLength, sessionOptions);
  const runOptions = {};
  return {
    run(feeds, fetches) {
      session.run(feeds, fetches, runOptions);
      return undefined;
    },
    dispose() {
      session.dispose();
      return undefined;
    },
  };
}

/** The same through onnxruntime-node's public interface. */
export async function openPublic(model: Uint8Array): Promise<GraphSession> {
  const session = await ort.InferenceSession.create(model, sessionOptions);
  return {
    async run(feeds, fetches) {
      await session.run(feeds, fetches);
    },
    async dispose() {
      await session.release();
    },
  };
}
