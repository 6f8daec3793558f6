/** A policy from its exported file: raw observation in, action out, run by ONNX Runtime as a robot would. */
import * as ort from 'onnxruntime-node';
import type { Sizes } from './algorithms/algorithm.js';
import { openGraph } from './engine/graph-session.js';
import type { Policy } from './episodes.js';

export interface OnnxPolicy {
  /** The array is the policy's own: the next call overwrites it. */
  readonly act: Policy;
  dispose(): Promise<void>;
}

export async function openOnnxPolicy(model: Uint8Array, sizes: Sizes): Promise<OnnxPolicy> {
  const session = await openGraph(model);
  const observation = new Float32Array(sizes.observation);
  const action = new Float32Array(sizes.action);
  const feeds = { observation: new ort.Tensor('float32', observation, [1, sizes.observation]) };
  const fetches = { action: new ort.Tensor('float32', action, [1, sizes.action]) };
  return {
    act(raw) {
      observation.set(raw);
      const running = session.run(feeds, fetches);
      return running === undefined ? action : running.then(() => action);
    },
    async dispose() {
      await session.dispose();
    },
  };
}
