/** The world of a run: what a configuration says about it, a robot's task or one of Gymnasium's. */

import { KitError } from '@sim2servo/models/error';
import { observationSize } from '@sim2servo/models/observe';
import { loadRobot } from '@sim2servo/models/robot-folder';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import type { EnvironmentRecipe } from '@sim2servo/sim/environment-recipe';
import { gymRecipe } from '@sim2servo/sim/gym/gym-recipe';
import { gymTaskNamed } from '@sim2servo/sim/gym/gym-task-named';
import type { Sizes } from './algorithms/algorithm.js';
import type { LearnOptions } from './learn-options.js';
import { robotArm } from './robot-arm.js';
import {
  type GymTrainingConfig,
  isRobotTraining,
  type RobotTrainingConfig,
  type TrainingConfig,
} from './training-config.js';

export interface TrainingWorld {
  /** For people: `desk2 reach`. */
  readonly title: string;
  readonly sizes: Sizes;
  /** What each action moves. */
  readonly actuators: readonly string[];
  readonly environment: EnvironmentRecipe;
  readonly evaluation: LearnOptions['evaluation'];
}

/** @throws KitError E_ROBOT_UNKNOWN, E_TASK_UNKNOWN, E_LEARN_RATE */
export function worldOf(config: TrainingConfig): TrainingWorld {
  return isRobotTraining(config) ? robotWorld(config) : gymWorld(config);
}

function robotWorld(config: RobotTrainingConfig): TrainingWorld {
  const { robot, task, controlRateHz, learnAtHz = controlRateHz, randomise, nearStarts, chainedStarts } = config;
  const { spec } = loadRobot(robot);
  if (learnAtHz !== controlRateHz && spec.action.kind !== 'velocity')
    throw new KitError(
      'E_LEARN_RATE',
      `${robot} has actions of kind '${spec.action.kind}', which mean something else at ${learnAtHz} Hz than at ${controlRateHz} Hz`,
      'leave out learnAtHz',
      'usage',
    );
  const arm = { robot, task, controlRateHz, randomise };
  const environment = robotArm({ ...arm, controlRateHz: learnAtHz, nearStarts, chainedStarts });
  return {
    title: `${robot} ${task}`,
    sizes: sizesOf(spec),
    actuators: spec.joints.map(joint => joint.name),
    environment,
    evaluation: {
      environment: robotArm(arm),
      errorWindow: errorWindowSteps(controlRateHz),
      reachedM: taskNamed(task).reachedM,
    },
  };
}

export function gymWorld({ task, scene }: GymTrainingConfig): TrainingWorld {
  const { observationSize, actuators } = gymTaskNamed(task);
  const environment = gymRecipe(task, scene);
  return {
    title: task,
    sizes: { observation: observationSize, action: actuators.length },
    actuators,
    environment,
    // These tasks have a return and no error, so none is reached either.
    evaluation: { environment, errorWindow: 1, reachedM: 0 },
  };
}

export function sizesOf(spec: RobotSpec): Sizes {
  return { observation: observationSize(spec), action: spec.joints.length };
}

/** Time at the end of an episode over which the task's error is averaged. */
const errorWindowS = 0.5;

export function errorWindowSteps(controlRateHz: number): number {
  return Math.round(errorWindowS * controlRateHz);
}
