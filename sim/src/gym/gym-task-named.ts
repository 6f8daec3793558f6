/** Gymnasium's tasks by name, `gym/Reacher-v5`: what a training configuration and the command line call them. */
import { KitError } from '@sim2servo/models/error';
import type { GymEnvironment } from './gym-environment.js';
import { halfCheetah } from './half-cheetah.js';
import { hopper } from './hopper.js';
import { invertedDoublePendulum } from './inverted-double-pendulum.js';
import { invertedPendulum } from './inverted-pendulum.js';
import { MujocoEnvironment } from './mujoco-environment.js';
import type { MujocoTask } from './mujoco-task.js';
import { Pendulum, pendulumEpisodeSteps } from './pendulum.js';
import { pusher } from './pusher.js';
import { reacher } from './reacher.js';

/** Before the name of every one of these tasks. */
export const gymPrefix = 'gym/';

export interface GymTask {
  /** With the prefix. */
  readonly name: string;
  readonly observationSize: number;
  /** In the order of actions. */
  readonly actuators: readonly string[];
  readonly episodeSteps: number;
  /**
   * @param scenePath an MJCF file instead of the shipped model
   * @throws KitError E_SCENE… where that does not fit the task
   */
  create(scenePath?: string): Promise<GymEnvironment>;
}

const pendulum: GymTask = {
  name: `${gymPrefix}Pendulum-v1`,
  observationSize: 3,
  actuators: ['pivot'],
  episodeSteps: pendulumEpisodeSteps,
  async create(scenePath) {
    if (scenePath !== undefined)
      throw new KitError(
        'E_SCENE',
        `Pendulum-v1 has no MJCF model, so ${scenePath} can't replace it`,
        'leave the scene out',
        'usage',
      );
    return new Pendulum();
  },
};

function onMujoco(task: MujocoTask): GymTask {
  const { name, observationSize, actuators, episodeSteps } = task;
  return {
    name: gymPrefix + name,
    observationSize,
    actuators,
    episodeSteps,
    create: scenePath => MujocoEnvironment.create(task, scenePath),
  };
}

export const gymTasks: readonly GymTask[] = [
  pendulum,
  ...[reacher, invertedPendulum, invertedDoublePendulum, pusher, hopper, halfCheetah].map(onMujoco),
];

/** @param name with the prefix */
export function gymTaskNamed(name: string): GymTask {
  const found = gymTasks.find(task => task.name === name);
  if (found === undefined)
    throw new KitError(
      'E_TASK_UNKNOWN',
      `there is no task '${name}'`,
      `choose one of: ${gymTasks.map(task => task.name).join(', ')}`,
      'usage',
    );
  return found;
}
