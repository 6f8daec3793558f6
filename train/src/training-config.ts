/** What a training run is told: one record, parsed strictly, kept in the run folder and in every checkpoint. Each field says what it means; `kit train --help` prints that. */
import { KitError } from '@sim2servo/models/error';
import { gymPrefix } from '@sim2servo/sim/gym/gym-task-named';
import { z } from 'zod';
import { sac } from './algorithms/sac.js';
import { engineNames } from './engine/engine.js';

const count = z.int().positive();
const meaning = sac.meaning;

const sacSchema = z.strictObject({
  hiddenSizes: z.array(count).min(1).describe(meaning.hiddenSizes),
  batchSize: count.describe(meaning.batchSize),
  gamma: z.number().min(0).max(1).describe(meaning.gamma),
  tau: z.number().positive().max(1).describe(meaning.tau),
  learningRate: z.number().positive().describe(meaning.learningRate),
  learningRateHalvedAfter: z.int().min(0).default(0).describe(meaning.learningRateHalvedAfter),
  initialAlpha: z.number().positive().describe(meaning.initialAlpha),
  targetEntropy: z.union([z.number(), z.literal('auto')]).describe(meaning.targetEntropy),
  critics: count.describe(meaning.critics),
  targetSubset: count.describe(meaning.targetSubset),
  criticLayerNorm: z.boolean().describe(meaning.criticLayerNorm),
  actorObjective: z.enum(['min', 'mean']).describe(meaning.actorObjective),
  actorEvery: count.describe(meaning.actorEvery),
  actorAfter: z.int().min(0).describe(meaning.actorAfter),
});

export const loopSchema = z.strictObject({
  seed: z.int().min(0).max(0xffffffff).describe('Everything random in the run follows from it.'),
  steps: count.describe('Environment steps in all.'),
  learningStarts: count.describe(
    'Steps with uniform actions, before the first update; the normaliser is measured on them.',
  ),
  blockSteps: count.describe(
    'Steps that the environment takes with one set of parameters, while the learner does their updates.',
  ),
  updatesPerStep: z.number().positive().describe('Updates for each environment step.'),
  replayCapacity: count.describe('Transitions that the replay holds; the oldest go first.'),
  evaluateEvery: count.describe('Steps between two evaluations.'),
  evaluationEpisodes: count.describe('Episodes of an evaluation, deterministic, and the same number stochastic.'),
  checkpointEvery: count.describe('Steps between two checkpoints of the whole state.'),
  logEvery: count.describe('Steps between two lines of metrics.'),
  engine: z.enum(engineNames).describe('What runs the updates; split is the fast one on CPUs.'),
  threads: count
    .default(1)
    .describe('Threads of the split engine. Another number rounds otherwise, so a run is repeated with the same one.'),
  normaliseObservations: z
    .boolean()
    .default(true)
    .describe('Put observations on one scale, measured before learning starts and then frozen.'),
  updatesPerCall: count
    .optional()
    .describe('Updates that a fused engine makes at once, on batches drawn before the first of them; 1 unless given.'),
  sampler: z
    .enum(['thread', 'inline'])
    .optional()
    .describe(
      'Draw batches and noise in a thread of their own or between two updates; the numbers are the same. Unless given, a thread where a core is left for it.',
    ),
});

/** The loop, apart from what world it learns in. */
export type LoopConfig = z.infer<typeof loopSchema>;

const format = z.literal('sim2servo/training@1');
const algorithm = z.literal('sac').describe('The learner.');

/** A run that makes a policy for a robot. */
export const robotTrainingSchema = z.strictObject({
  format,
  robot: z.string().describe('Name of a shipped robot, or the path of a robot folder.'),
  task: z.string().describe('What it shall learn.'),
  controlRateHz: z.number().positive().describe('Control steps a second; the policy runs at this rate only.'),
  learnAtHz: z
    .number()
    .positive()
    .optional()
    .describe(
      'Control steps a second while it learns, if not as many as the policy then has: of fewer steps more can be foreseen. Only for actions that are velocities, which are the same at any rate.',
    ),
  randomise: z.boolean().describe('Draw friction, gain, delay and load anew for each episode.'),
  nearStarts: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Share of the training episodes that start on the way to their goal.'),
  chainedStarts: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Share of the training episodes that start where the one before has ended.'),
  startedFrom: z
    .string()
    .optional()
    .describe(
      'Digest of the bundle, or path of the run, whose policy and critics the run began with, if it did not begin with none.',
    ),
  loop: loopSchema,
  algorithm,
  sac: sacSchema,
  finetune: z
    .strictObject({
      parent: z.string().describe('Digest of the parent bundle, or path of the parent run.'),
      logs: z.array(z.string()).describe('SHA-256 of the logs.'),
      loggedShare: z.number().min(0).max(1).describe('Share of each batch that comes from the logs.'),
    })
    .optional()
    .describe('Where the run went on from, if it did.'),
});

/** A run of one of Gymnasium's tasks: a measure of the learner. No robot belongs to it, so no policy for one comes of it. */
export const gymTrainingSchema = z.strictObject({
  format,
  task: z.string().describe('What it shall learn, one of the gym/… tasks.'),
  scene: z.string().optional().describe('MJCF file instead of the shipped model.'),
  loop: loopSchema,
  algorithm,
  sac: sacSchema,
});

export type RobotTrainingConfig = z.infer<typeof robotTrainingSchema>;
export type GymTrainingConfig = z.infer<typeof gymTrainingSchema>;
export type TrainingConfig = RobotTrainingConfig | GymTrainingConfig;

export function isRobotTraining(config: TrainingConfig): config is RobotTrainingConfig {
  return 'robot' in config;
}

/** The recipe of `kit train` for a small arm: tuned on desk2's reach (bench/results). */
export const defaultTrainingConfig: RobotTrainingConfig = {
  format: 'sim2servo/training@1',
  robot: 'desk2',
  task: 'reach',
  controlRateHz: 50,
  randomise: true,
  nearStarts: 0,
  chainedStarts: 0,
  loop: {
    seed: 0,
    steps: 30_000,
    learningStarts: 2_000,
    blockSteps: 16,
    updatesPerStep: 1,
    replayCapacity: 200_000,
    evaluateEvery: 2_000,
    evaluationEpisodes: 10,
    checkpointEvery: 10_000,
    logEvery: 500,
    engine: 'split',
    threads: 1,
    normaliseObservations: true,
  },
  algorithm: 'sac',
  sac: { ...sac.defaults, hiddenSizes: [64, 64], batchSize: 256, gamma: 0.95, learningRate: 1e-3 },
};

/** Stable-Baselines3's settings, so that curves can be compared: raw observations, and no more lag than a few steps. */
export const defaultGymTrainingConfig: GymTrainingConfig = {
  format: 'sim2servo/training@1',
  task: 'gym/Reacher-v5',
  loop: {
    seed: 0,
    steps: 20_000,
    learningStarts: 1_000,
    blockSteps: 4,
    updatesPerStep: 1,
    replayCapacity: 1_000_000,
    evaluateEvery: 1_000,
    evaluationEpisodes: 10,
    checkpointEvery: 10_000,
    logEvery: 500,
    engine: 'split',
    threads: 1,
    normaliseObservations: false,
  },
  algorithm: 'sac',
  sac: { ...sac.defaults, hiddenSizes: [256, 256], batchSize: 256, gamma: 0.99, learningRate: 3e-4 },
};

/** @param source what the value was read from, for the message */
export function parseTrainingConfig(value: unknown, source: string): TrainingConfig {
  const parsed = (isGymTask(value) ? gymTrainingSchema : robotTrainingSchema).safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new KitError(
    'E_TRAINING_CONFIG',
    `${source}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'no training configuration'}`,
    'Correct the field; kit train --help says what each means.',
    'usage',
  );
}

function isGymTask(value: unknown): boolean {
  const task = typeof value === 'object' && value !== null && 'task' in value ? value.task : undefined;
  return typeof task === 'string' && task.startsWith(gymPrefix);
}
