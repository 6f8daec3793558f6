/**
 * Runs a {@link MujocoTask} step for step as Gymnasium's MuJoCo environments do, at MuJoCo's own precision.
 *
 * Two things are left out, and nothing of what is observed depends on them: `mj_rnePostConstraint` after each step (it fills in contact
 * forces on bodies that none of these tasks looks at), and the check that actions lie in the box (they are clipped to [−1, 1] here).
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KitError } from '@sim2servo/models/error';
import type { Random } from '@sim2servo/models/random';
import type { EnvironmentState } from '../environment.js';
import { MujocoWorld } from '../mujoco-world.js';
import type { GymEnvironment } from './gym-environment.js';
import type { MujocoTask, TaskRules } from './mujoco-task.js';

const scenes = fileURLToPath(new URL('../../../scenes/', import.meta.url));

interface MujocoEnvironmentState {
  readonly world: Float64Array;
  readonly steps: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
  readonly exactObservation: Float64Array;
  readonly executedAction: Float32Array;
}

export class MujocoEnvironment implements GymEnvironment {
  readonly observationSize: number;
  readonly actionSize: number;
  readonly observation: Float32Array;
  readonly exactObservation: Float64Array;
  readonly executedAction: Float32Array;
  readonly error = Number.NaN;
  terminated = false;
  truncated = false;
  readonly #task: MujocoTask;
  readonly #world: MujocoWorld;
  readonly #rules: TaskRules;
  /** [actions] range of each actuator. */
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  readonly #action: Float64Array;
  #steps = 0;

  private constructor(task: MujocoTask, world: MujocoWorld) {
    this.#task = task;
    this.#world = world;
    this.#rules = task.bind(world);
    this.observationSize = task.observationSize;
    this.actionSize = task.actuators.length;
    this.observation = new Float32Array(this.observationSize);
    this.exactObservation = new Float64Array(this.observationSize);
    this.executedAction = new Float32Array(this.actionSize);
    const range = world.model.actuator_ctrlrange;
    this.#low = Float64Array.from(task.actuators, (_, i) => range[2 * i]!);
    this.#high = Float64Array.from(task.actuators, (_, i) => range[2 * i + 1]!);
    this.#action = new Float64Array(this.actionSize);
  }

  /**
   * @param scenePath an MJCF file of the user's own, with the parts that the task reads
   * @throws KitError E_SCENE, E_SCENE_NAME, E_SCENE_SIZE where the model does not fit the task
   */
  static async create(task: MujocoTask, scenePath: string = join(scenes, task.scene)): Promise<MujocoEnvironment> {
    const world = await MujocoWorld.load(scenePath);
    try {
      const { nu } = world.model;
      if (nu !== task.actuators.length)
        throw new KitError(
          'E_SCENE_SIZE',
          `${scenePath} has ${nu} actuators, ${task.name} has ${task.actuators.length}`,
          `give it actuators for: ${task.actuators.join(', ')}`,
          'usage',
        );
      return new MujocoEnvironment(task, world);
    } catch (error) {
      world.dispose();
      throw error;
    }
  }

  reset(random: Random): void {
    this.#world.reset();
    const { qpos, qvel } = this.#world.views;
    this.#rules.start(random, qpos, qvel);
    this.#begin();
  }

  resetTo(positions: ArrayLike<number>, velocities: ArrayLike<number>): void {
    this.#world.reset();
    const { qpos, qvel } = this.#world.views;
    if (positions.length !== qpos.length || velocities.length !== qvel.length)
      throw new KitError(
        'E_EPISODE',
        `${this.#task.name} has ${qpos.length} positions and ${qvel.length} velocities, not ${positions.length} and ${velocities.length}`,
        'give as many',
        'bug',
      );
    qpos.set(positions);
    qvel.set(velocities);
    this.#begin();
  }

  #begin(): void {
    this.#world.forward();
    this.#steps = 0;
    this.terminated = false;
    this.truncated = false;
    this.executedAction.fill(0);
    this.#observe();
  }

  step(action: ArrayLike<number>): number {
    const world = this.#world;
    const before = world.views;
    const firstPositionBefore = before.qpos[0]!;
    for (let i = 0; i < this.actionSize; i++) {
      const clipped = Math.max(-1, Math.min(1, action[i]!));
      this.executedAction[i] = clipped;
      // As Stable-Baselines3 unscales what its policies give.
      const low = this.#low[i]!;
      this.#action[i] = low + 0.5 * (clipped + 1) * (this.#high[i]! - low);
    }
    before.ctrl.set(this.#action);
    for (let i = 0; i < this.#task.frameSkip; i++) world.step();
    const after = world.views;
    this.#observe();
    this.terminated = this.#rules.terminated(after);
    this.truncated = ++this.#steps >= this.#task.episodeSteps;
    return this.#rules.reward({ after, action: this.#action, firstPositionBefore }, this.terminated);
  }

  #observe(): void {
    this.#rules.observe(this.#world.views, this.exactObservation);
    this.observation.set(this.exactObservation);
  }

  save(): MujocoEnvironmentState {
    return {
      world: this.#world.save(),
      steps: this.#steps,
      terminated: this.terminated,
      truncated: this.truncated,
      exactObservation: this.exactObservation.slice(),
      executedAction: this.executedAction.slice(),
    };
  }

  load(state: EnvironmentState): void {
    const saved = state as MujocoEnvironmentState;
    this.#world.load(saved.world);
    this.#steps = saved.steps;
    this.terminated = saved.terminated;
    this.truncated = saved.truncated;
    this.exactObservation.set(saved.exactObservation);
    this.observation.set(saved.exactObservation);
    this.executedAction.set(saved.executedAction);
  }

  dispose(): void {
    this.#world.dispose();
  }
}
