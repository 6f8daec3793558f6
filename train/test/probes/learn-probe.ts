/**
 * Learns a probe: an environment of one or two steps whose answer is known, and that isolates one thing that can be wrong (Andy Jones,
 * "Debugging reinforcement learning systems"; keraJLi/rejax tests every algorithm with them).
 */
import { Random } from '@sim2servo/models/random';
import * as tf from '@tensorflow/tfjs-core';
import { type SacConfig, sac } from '../../src/algorithms/sac.js';
import { useBackend } from '../../src/compile/trace.js';
import { createEngine } from '../../src/engine/create-engine.js';
import type { EngineState } from '../../src/engine/engine.js';
import { minimum } from '../../src/nn/ensemble.js';
import { mlp } from '../../src/nn/mlp.js';
import { weightsUnder } from '../../src/nn/weight.js';

/** One observation and one action, both numbers. */
export interface Probe {
  readonly first: (random: Random) => number;
  readonly step: (observation: number, action: number) => { reward: number; next: number; terminated: boolean };
}

export interface Learnt {
  /** The deterministic action. */
  readonly policy: (observation: number) => number;
  /** The lower of the two critics. */
  readonly value: (observation: number, action: number) => number;
}

const sizes = { observation: 1, action: 1 };

export const probeConfig: SacConfig = {
  ...sac.defaults,
  hiddenSizes: [32, 32],
  batchSize: 64,
  gamma: 0.5,
  tau: 0.02,
  learningRate: 3e-3,
  initialAlpha: 0.1,
};

/** Acts, stores and updates in turn: one step and one update, after some uniform actions. */
export async function learnProbe(probe: Probe, updates: number, config = probeConfig): Promise<Learnt> {
  const random = new Random(1);
  const engine = await createEngine('split', sac, sizes, config, random.fork('engine'));
  const replay: [o: number, a: number, r: number, next: number, terminated: number][] = [];
  let observation = probe.first(random);
  for (let step = -config.batchSize; step < updates; step++) {
    const noise = Float32Array.of(random.normal());
    const action = step < 0 ? random.uniform(-1, 1) : (await engine.act(Float32Array.of(observation), noise))[0]!;
    const { reward, next, terminated } = probe.step(observation, action);
    replay.push([observation, action, reward, next, Number(terminated)]);
    observation = terminated ? probe.first(random) : next;
    if (step < 0) continue;
    const { batch } = engine;
    for (let row = 0; row < config.batchSize; row++) {
      const [o, a, r, n, end] = replay[random.integer(replay.length)]!;
      batch.observation![row] = o;
      batch.action![row] = a;
      batch.reward![row] = r;
      batch.nextObservation![row] = n;
      batch.terminated![row] = end;
    }
    engine.drawNoise(random);
    await engine.update();
  }
  const state = engine.save();
  await engine.dispose();
  return learnt(state, config);
}

function learnt({ parameters }: EngineState, config: SacConfig): Learnt {
  useBackend('cpu');
  const declaration = sac.declare(sizes, config);
  const shapes = new Map(
    Object.entries(declaration.groups).flatMap(([group, { parameters: declared }]) =>
      declared.map(({ name, shape }) => [`${group}/${name}`, shape] as const),
    ),
  );
  const tensors = Object.fromEntries([...shapes].map(([key, shape]) => [key, tf.tensor(parameters[key]!, [...shape])]));
  const critic = { inputs: 2, hidden: config.hiddenSizes, outputs: 1, layerNorm: config.criticLayerNorm };
  const number = (x: tf.Tensor) => x.dataSync()[0]!;
  return {
    policy: observation =>
      number(declaration.actor.actDeterministic(weightsUnder('actor', tensors), tf.tensor2d([[observation]]))),
    value: (observation, action) => {
      const input = tf.tensor2d([[observation, action]]);
      const members = [0, 1].map(i => mlp(critic, weightsUnder(`critics/${i}`, tensors), input));
      return number(minimum(members));
    },
  };
}
