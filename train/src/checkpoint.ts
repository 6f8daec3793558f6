/** What the two checkpoints of a run hold. */
import { KitError } from '@sim2servo/models/error';
import { readCheckpoint } from './checkpoint-file.js';
import type { CollectorState } from './collector.js';
import type { EngineState } from './engine/engine.js';
import type { Evaluation } from './evaluator.js';
import type { ObservationNormaliser } from './observation-normaliser.js';
import type { ReplayState } from './replay/replay-buffer.js';
import type { RolloutState } from './rollout-statistics.js';

/** Which policy was kept, and how well it did. */
export interface JudgedPolicy {
  readonly step: number;
  readonly evaluation: Evaluation;
}

/** The networks of one moment, with what they need to act, and how well they did. */
export interface PolicyCheckpoint extends JudgedPolicy {
  readonly format: 'sim2servo/policy-checkpoint@1';
  readonly engine: EngineState;
  readonly normaliser: ObservationNormaliser;
  /** Raw observations that the policy met, [n, observationSize]: the golden vectors of an export are taken from them. */
  readonly observations: Float32Array;
}

/** Everything that the rest of a run depends on. */
export interface RunCheckpoint {
  readonly format: 'sim2servo/run-checkpoint@1';
  readonly step: number;
  readonly engine: EngineState;
  /** Absent before learning starts. */
  readonly normaliser?: ObservationNormaliser;
  readonly replay: ReplayState;
  readonly collector: CollectorState;
  /** The learner's random generator: batches and noise. */
  readonly learner: readonly number[];
  readonly rollout: RolloutState;
  /** What `best.ckpt` holds. */
  readonly best?: JudgedPolicy;
}

export function readPolicyCheckpoint(path: string): PolicyCheckpoint {
  const value = readCheckpoint(path) as PolicyCheckpoint;
  checkFormat(path, value.format, 'sim2servo/policy-checkpoint@1');
  return value;
}

export function readRunCheckpoint(path: string): RunCheckpoint {
  const value = readCheckpoint(path) as RunCheckpoint;
  checkFormat(path, value.format, 'sim2servo/run-checkpoint@1');
  return value;
}

function checkFormat(path: string, found: unknown, wanted: string): void {
  if (found !== wanted)
    throw new KitError(
      'E_CHECKPOINT_FORMAT',
      `${path} is a '${String(found)}', not a '${wanted}'.`,
      'Use the version of the kit that wrote it.',
      'usage',
    );
}
