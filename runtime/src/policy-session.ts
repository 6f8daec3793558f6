/** A verified policy, ready to be asked at a fixed rate: observation buffer in, action buffer out, nothing allocated between. */
import { type Bundle, checkGolden } from '@sim2servo/models/bundle/load-bundle';
import { type WeightTensor, weightsApart } from '@sim2servo/models/bundle/weights-apart';
import type { ControlState } from '@sim2servo/models/control-state';
import { bindGraph, type InferenceBackend } from './inference-backend.js';

/** What the control loop needs of a policy. */
export interface Policy {
  /** [observation size]: write, then {@link infer}. */
  readonly observation: Float32Array;
  /** [action size], −1 … 1: the answer. */
  readonly action: Float32Array;
  /** Fills `action` from `observation`: before it returns where the backend can, else when the promise resolves. */
  infer(): void | Promise<void>;
  /**
   * An inference whose answer nobody reads. After a sleep the caches are cold: one rehearsal just before the deadline makes the
   * inference that counts four times as fast (188 to 11 µs p50 at 100 Hz on the machine it was measured on).
   */
  rehearse(): void | Promise<void>;
  /** Called once by the loop, before all else: what aims at joint angles instead of observing looks at the state itself. */
  attach?(state: Readonly<ControlState>): void;
}

export interface PolicySession extends Policy {
  readonly backend: InferenceBackend;
  /** Largest difference to the trainer's golden actions, found on loading. */
  readonly goldenMaxError: number;
  /** What it runs with; with {@link SessionOptions.exchangeable} what is written into them counts from the next inference on. */
  readonly weights: readonly WeightTensor[];
  dispose(): Promise<void>;
}

export interface SessionOptions {
  /** To try, in this order; by default all, the fastest first. */
  readonly backends?: readonly InferenceBackend[];
  /** Whether another policy of the same network may take over. An inference then takes longer: 15 µs instead of 7 with 2 × 128 units. */
  readonly exchangeable?: boolean;
}

/** First runs are slow (memory arena, caches). */
const warmUps = 20;

/**
 * Loads a bundle that `loadBundle` has verified, and checks it against its golden vectors.
 *
 * @throws KitError E_MODEL_LOAD, E_NO_INFERENCE, E_BUNDLE_GOLDEN
 */
export async function openPolicySession(
  bundle: Bundle,
  { backends, exchangeable = false }: SessionOptions = {},
): Promise<PolicySession> {
  const { observation: input, action: output } = bundle.manifest;
  const { network, weights } = exchangeable ? weightsApart(bundle.model) : { network: bundle.model, weights: [] };
  const buffers = {
    weights,
    observation: new Float32Array(input.names.length),
    action: new Float32Array(output.names.length),
    scratch: new Float32Array(output.names.length),
  };
  const graph = await bindGraph(network, buffers, backends);
  const dispose = async () => {
    await graph.dispose();
  };
  try {
    const goldenMaxError = await checkGolden(bundle, async observation => {
      buffers.observation.set(observation);
      await graph.run(false);
      return buffers.action;
    });
    for (let i = 0; i < warmUps; i++) await graph.run(true);
    buffers.observation.fill(0);
    buffers.action.fill(0);
    return {
      backend: graph.backend,
      observation: buffers.observation,
      action: buffers.action,
      goldenMaxError,
      weights,
      infer: () => graph.run(false),
      rehearse: () => graph.run(true),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
