/**
 * A task of Gymnasium on MuJoCo, as a table: which model, how many physics steps to an action, and what of the physics is observed,
 * rewarded and the end. mujoco-environment.ts runs them all.
 *
 * The names, and every number in the tasks' files, are those of Gymnasium's documentation (https://gymnasium.farama.org/environments/mujoco/).
 */
import type { Random } from '@sim2servo/models/random';
import type { MujocoWorld, WorldViews } from '../mujoco-world.js';

/** One action's doing, when its physics steps are done. */
export interface GymStep {
  /** Places of bodies and sites are those of the last stage of the integration, as Gymnasium reads them: not brought up to qpos. */
  readonly after: WorldViews;
  /** [nu] as the actuators got it. */
  readonly action: Float64Array;
  /** qpos[0] before the physics steps. */
  readonly firstPositionBefore: number;
}

/** A task bound to a loaded model, so that names are looked up once. */
export interface TaskRules {
  /** Moves the model's own start, which `qpos` and `qvel` hold, to a random one. */
  start(random: Random, qpos: Float64Array, qvel: Float64Array): void;
  observe(now: WorldViews, out: Float64Array): void;
  /** Whether the task ended by itself. */
  terminated(after: WorldViews): boolean;
  reward(step: GymStep, terminated: boolean): number;
}

export interface MujocoTask {
  /** Gymnasium's, with the version. */
  readonly name: string;
  /** MJCF file in sim/scenes. A model of the user's own needs the same bodies, sites and joints, by name or in order. */
  readonly scene: string;
  /** Physics steps to an action. */
  readonly frameSkip: number;
  /** Actions to an episode that does not end by itself. */
  readonly episodeSteps: number;
  readonly observationSize: number;
  /** In the order of actions. */
  readonly actuators: readonly string[];
  /** @throws KitError E_SCENE_NAME where the model lacks something */
  bind(world: MujocoWorld): TaskRules;
}

/** Adds a uniform draw of ±`scale` to every element. */
export function addUniform(random: Random, scale: number, to: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i]! += random.uniform(-scale, scale);
}

/** Adds a normal draw with standard deviation `scale` to every element. */
export function addNormal(random: Random, scale: number, to: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i]! += scale * random.normal();
}

export function sumOfSquares(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return sum;
}

/** Distance between two points of arrays of points, [n × 3]; `a` and `b` count points. */
export function distance(points: Float64Array, a: number, b: number): number {
  const x = points[3 * a]! - points[3 * b]!;
  const y = points[3 * a + 1]! - points[3 * b + 1]!;
  const z = points[3 * a + 2]! - points[3 * b + 2]!;
  return Math.sqrt(x * x + y * y + z * z);
}

export function clamp(value: number, bound: number): number {
  return Math.max(-bound, Math.min(bound, value));
}
