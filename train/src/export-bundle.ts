/**
 * `kit export`: the best policy of a run as a bundle.
 *
 * The golden vectors are the trainer's own answers (Engine.act on normalised observations), not those of the exported file: they hold the
 * whole chain of normaliser, tracer and ONNX Runtime to what was trained. Most are observations that the policy really met.
 */

import type { Manifest } from '@sim2servo/models/bundle/manifest';
import { writeBundle } from '@sim2servo/models/bundle/write-bundle';
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import { sac } from './algorithms/sac.js';
import type { PolicyCheckpoint } from './checkpoint.js';
import { createEngine } from './engine/create-engine.js';
import { encodeLearner, learnerFileName } from './learner-file.js';
import { normalise } from './observation-normaliser.js';
import { openOnnxPolicy } from './onnx-policy.js';
import { openPolicySource, type PolicySource } from './policy-source.js';
import { sizesOf } from './training-world.js';

export interface ExportOptions {
  readonly run: string;
  /** The bundle's folder. */
  readonly out: string;
  /** Where the robot's folder lies, if not where the run says. */
  readonly robot?: string;
  /** What the policy was fine-tuned from, and with. */
  readonly parent?: string;
  readonly logs?: readonly string[];
}

export interface ExportedBundle {
  readonly folder: string;
  /** Of the manifest: the policy's name for itself. */
  readonly digest: string;
  /** Of policy.onnx. */
  readonly bytes: number;
  /** How far the exported file is from the trainer on the golden vectors. */
  readonly goldenMaxError: number;
}

/** Golden observations that the policy met, and made-up ones on top. */
const met = 64;
const madeUp = 16;

export async function exportBundle(options: ExportOptions): Promise<ExportedBundle> {
  const source = openPolicySource(options.run, options.robot);
  const { checkpoint, robot, config, task, model } = source;
  if (checkpoint === undefined)
    throw new KitError('E_NOT_A_RUN', `${options.run} is a bundle already.`, 'Give a run folder.', 'usage');
  const golden = await goldenVectors(source, checkpoint);
  const { deterministic } = checkpoint.evaluation;
  const provenance: Manifest['provenance'] = {
    algorithm: config.algorithm,
    config: { ...config },
    seed: config.loop.seed,
    steps: checkpoint.step,
    evaluation: {
      episodes: deterministic.episodes,
      meanReturn: deterministic.meanReturn,
      ...(Number.isFinite(deterministic.meanErrorM) && { meanErrorMm: deterministic.meanErrorM * 1000 }),
      reached: deterministic.reached,
    },
    ...(options.parent !== undefined && { parent: options.parent }),
    logs: [...(options.logs ?? [])],
  };
  const digest = writeBundle(options.out, {
    name: `${robot.spec.name}-${task.name}`,
    robot,
    task: task.name,
    controlRateHz: config.controlRateHz,
    model,
    golden: { observations: golden.observations, actions: golden.actions },
    provenance,
    extra: { [learnerFileName]: encodeLearner(checkpoint.engine.parameters) },
    createdAt: new Date(),
  });
  return { folder: options.out, digest, bytes: model.length, goldenMaxError: golden.maxError };
}

async function goldenVectors(source: PolicySource, checkpoint: PolicyCheckpoint) {
  const sizes = sizesOf(source.robot.spec);
  const observations = goldenObservations(checkpoint, sizes.observation);
  const rows = observations.length / sizes.observation;
  const engine = await createEngine(source.config.loop.engine, sac, sizes, source.config.sac, new Random(0));
  const exported = await openOnnxPolicy(source.model, sizes);
  try {
    engine.load(checkpoint.engine);
    const normalised = new Float32Array(observations.length);
    normalise(checkpoint.normaliser, observations, normalised, rows);
    const actions = await engine.act(normalised);
    let maxError = 0;
    for (let row = 0; row < rows; row++) {
      const mine = await exported.act(observations.subarray(row * sizes.observation, (row + 1) * sizes.observation));
      for (let i = 0; i < sizes.action; i++)
        maxError = Math.max(maxError, Math.abs(mine[i]! - actions[row * sizes.action + i]!));
    }
    const split = (flat: Float32Array, width: number) =>
      Array.from({ length: rows }, (_, row) => [...flat.subarray(row * width, (row + 1) * width)]);
    return { observations: split(observations, sizes.observation), actions: split(actions, sizes.action), maxError };
  } finally {
    await exported.dispose();
    await engine.dispose();
  }
}

function goldenObservations(checkpoint: PolicyCheckpoint, width: number): Float32Array {
  const available = checkpoint.observations.length / width;
  const taken = Math.min(met, available);
  const observations = new Float32Array((taken + madeUp) * width);
  for (let i = 0; i < taken; i++) {
    const row = Math.floor((i * available) / taken);
    observations.set(checkpoint.observations.subarray(row * width, (row + 1) * width), i * width);
  }
  const { mean, std } = checkpoint.normaliser;
  const random = new Random(checkpoint.step);
  for (let i = taken * width; i < observations.length; i++)
    observations[i] = mean[i % width]! + 2 * std[i % width]! * random.normal();
  return observations;
}
