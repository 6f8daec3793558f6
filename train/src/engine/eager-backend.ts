/** Loads a TensorFlow.js backend. */
import '../compile/prepare-tensorflow.js';
import { KitError, messageOf } from '@sim2servo/models/error';
import * as tf from '@tensorflow/tfjs-core';

export type EagerBackend = 'cpu' | 'wasm' | 'tfjs-node-gpu';

/** @throws KitError E_ENGINE_MISSING where its native library is not installed */
export async function prepareEagerBackend(backend: EagerBackend): Promise<void> {
  if (backend === 'wasm') {
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    // Once, before the backend starts. More threads would be workers that keep the process alive.
    if (tf.findBackend('wasm') === null) wasm.setThreadsCount(1);
    await tf.setBackend('wasm');
  } else if (backend === 'tfjs-node-gpu') {
    try {
      const name = '@tensorflow/tfjs-node-gpu';
      await import(name);
    } catch (cause) {
      throw new KitError(
        'E_ENGINE_MISSING',
        `The engine eager-tfjs-node-gpu can't load its native library: ${messageOf(cause).split('\n')[0]}`,
        'Type `kit engine install tfjs-node-gpu`, or use --engine split.',
        'usage',
        { cause },
      );
    }
  }
}
