/** `kit eval`: a policy on the held-out targets, on the simulated arm. The deterministic actor, as exported. */
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import { heldOutGoals } from '@sim2servo/models/tasks/held-out-goals';
import { samplePosture } from '@sim2servo/models/tasks/reachable-set';
import { type ArmVariation, changedArm } from '@sim2servo/sim/arm-variation';
import { type EpisodeResult, type EpisodeSummary, runEpisode, summarise } from './episodes.js';
import { openOnnxPolicy } from './onnx-policy.js';
import { openPolicySource, type PolicySource } from './policy-source.js';
import { createEnvironment } from './robot-arm.js';
import { errorWindowSteps, sizesOf } from './training-world.js';

/** Which arm: the one of the scene, a new one for each target, or the one that differs from what was trained on. */
export const evaluationArms = ['nominal', 'randomised', 'changed'] as const;
export type EvaluationArm = (typeof evaluationArms)[number];

/** Where the arm is when it is given a target: at home, or at rest anywhere, as after another target. */
export const evaluationStarts = ['home', 'random'] as const;
export type EvaluationStart = (typeof evaluationStarts)[number];

export interface EvaluateOptions {
  /** A run folder or a bundle. */
  readonly from: string;
  readonly robot?: string;
  readonly targets?: number;
  readonly arm?: EvaluationArm;
  readonly start?: EvaluationStart;
  readonly seed?: number;
  readonly onProgress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

export interface PolicyEvaluation extends EpisodeSummary {
  readonly arm: EvaluationArm;
  readonly start: EvaluationStart;
  readonly targets: readonly EpisodeResult[];
}

export function evaluatePolicy(options: EvaluateOptions): Promise<PolicyEvaluation> {
  return evaluateSource(openPolicySource(options.from, options.robot), options);
}

export async function evaluateSource(
  source: PolicySource,
  options: Omit<EvaluateOptions, 'from' | 'robot'>,
): Promise<PolicyEvaluation> {
  const { targets = 20, arm = 'nominal', start = 'home', seed = 0 } = options;
  const { robot, task, config } = source;
  const environment = await createEnvironment({
    robot: robot.folder,
    task: task.name,
    controlRateHz: config.controlRateHz,
    randomise: variationOf(arm),
  });
  const policy = await openOnnxPolicy(source.model, sizesOf(robot.spec));
  const random = new Random(seed);
  const starts = new Random(seed).fork('starts');
  const posture = Float64Array.from(robot.spec.joints, joint => joint.home);
  const results: EpisodeResult[] = [];
  try {
    for (const goal of heldOutGoals(robot.spec, task, targets)) {
      if (options.signal?.aborted)
        throw new KitError(
          'E_INTERRUPTED',
          `Stopped after ${results.length} of ${targets} targets.`,
          'Run it again.',
          'interrupt',
        );
      if (start === 'random') samplePosture(robot.spec, starts, robot.spec.safety.softLimit, posture);
      environment.resetTo(goal, posture, random);
      results.push(await runEpisode(environment, policy.act, { errorWindow: errorWindowSteps(config.controlRateHz) }));
      options.onProgress?.(results.length, targets);
    }
  } finally {
    await policy.dispose();
    environment.dispose();
  }
  return { arm, start, targets: results, ...summarise(results, task.reachedM) };
}

function variationOf(arm: EvaluationArm): boolean | ArmVariation {
  return arm === 'changed' ? changedArm : arm === 'randomised';
}
