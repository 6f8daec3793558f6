/** Where a robot's policy comes from: the folder of a run, or a bundle. Evaluation, export and fine-tuning take either. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle, readExtra } from '@sim2servo/models/bundle/load-bundle';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, loadRobot } from '@sim2servo/models/robot-folder';
import type { Task } from '@sim2servo/models/tasks/task';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { sac } from './algorithms/sac.js';
import { type PolicyCheckpoint, readPolicyCheckpoint } from './checkpoint.js';
import { exportActor } from './export-actor.js';
import { decodeLearner, learnerFileName } from './learner-file.js';
import { type PolicyWeights, readPolicy } from './read-policy.js';
import { openRunFolder, type RunFolder } from './run-folder.js';
import {
  isRobotTraining,
  parseTrainingConfig,
  type RobotTrainingConfig,
  type TrainingConfig,
} from './training-config.js';
import { sizesOf } from './training-world.js';

export interface PolicySource {
  readonly path: string;
  readonly robot: LoadedRobot;
  readonly task: Task;
  /** What it was trained with. */
  readonly config: RobotTrainingConfig;
  /** ONNX, as exported. */
  readonly model: Uint8Array;
  readonly weights: PolicyWeights;
  /** Digest of the bundle's manifest; absent for a run. */
  readonly digest?: string;
  /** Absent for a bundle. */
  readonly checkpoint?: PolicyCheckpoint;
}

/** @param robot where the robot's folder lies, if not where the policy says */
export function openPolicySource(path: string, robot?: string): PolicySource {
  if (existsSync(join(path, 'policy.json'))) return fromBundle(path, robot);
  if (existsSync(join(path, 'config.json'))) return fromRun(path, robot);
  throw new KitError(
    'E_NO_POLICY',
    `${path} is neither a run folder nor a policy bundle.`,
    'Give what kit train or kit export wrote.',
    'usage',
  );
}

function fromRun(path: string, robotPath: string | undefined): PolicySource {
  const { folder, config } = openRunFolder(path);
  robotsOnly(config, path);
  const checkpoint = bestCheckpoint(folder, path);
  const robot = loadRobot(robotPath ?? config.robot);
  const { parameters } = checkpoint.engine;
  const model = exportActor(sac, sizesOf(robot.spec), config.sac, checkpoint.engine, checkpoint.normaliser);
  const weights = { parameters, normaliser: checkpoint.normaliser };
  return { path, robot, task: taskNamed(config.task), config, model, weights, checkpoint };
}

function fromBundle(path: string, robotPath: string | undefined): PolicySource {
  const { manifest } = loadBundle(path);
  const robot = loadRobot(robotPath ?? manifest.robot.name);
  const bundle = loadBundle(path, { robot });
  const { model, digest } = bundle;
  const config = parseTrainingConfig(manifest.provenance.config, `${path}: provenance.config`);
  robotsOnly(config, path);
  const policy = readPolicy(model);
  const learnt = readExtra(bundle, learnerFileName);
  const learner = learnt === undefined ? {} : decodeLearner(learnt, join(path, learnerFileName));
  return {
    path,
    robot,
    task: taskNamed(manifest.task),
    config,
    model,
    weights: { ...policy, parameters: { ...learner, ...policy.parameters } },
    digest,
  };
}

/** @throws KitError E_RUN_UNEVALUATED */
export function bestCheckpoint(folder: RunFolder, path: string): PolicyCheckpoint {
  if (!existsSync(folder.bestCheckpoint))
    throw new KitError(
      'E_RUN_UNEVALUATED',
      `${folder.path} holds no evaluated policy yet.`,
      `Train on first: kit train --resume ${path}`,
      'usage',
    );
  return readPolicyCheckpoint(folder.bestCheckpoint);
}

function robotsOnly(config: TrainingConfig, path: string): asserts config is RobotTrainingConfig {
  if (!isRobotTraining(config))
    throw new KitError(
      'E_NO_ROBOT',
      `${path} holds a policy for ${config.task}; only robots' policies are exported, fine-tuned and deployed.`,
      `Try it with kit eval ${path}, or train one with kit train --robot NAME.`,
      'usage',
    );
}
