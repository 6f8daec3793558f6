/**
 * An arm without physics, for tests of the training loop: each joint follows its target at a limited rate, late by some ticks, and is
 * measured with a converter's steps. Everything between (observe, shield, reward) is the real thing from `models`.
 */

import { createControlState, resetControlState } from '@sim2servo/models/control-state';
import { command, sense } from '@sim2servo/models/control-step';
import { observationSize, observe } from '@sim2servo/models/observe';
import type { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { Task } from '@sim2servo/models/tasks/task';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import type { Environment } from '@sim2servo/sim/environment';
import type { EnvironmentRecipe } from '@sim2servo/sim/environment-recipe';

export interface KinematicArmOptions {
  /** Share of the way to its target that a joint goes in a tick. */
  readonly gain?: number;
  readonly delayTicks?: number;
  /** Added to every commanded angle. */
  readonly offsetRad?: number;
  /** How many rad of error the servo does not care about. */
  readonly deadband?: number;
}

export function kinematicArm(options: KinematicArmOptions = {}): EnvironmentRecipe {
  return { module: import.meta.url, options: { ...options } };
}

export async function createEnvironment(options: Readonly<Record<string, unknown>>): Promise<KinematicArm> {
  return new KinematicArm(loadRobot('desk2').spec, taskNamed('reach'), options);
}

const dtS = 0.02;
const converterStepRad = Math.PI / 844;

export class KinematicArm implements Environment {
  readonly observationSize: number;
  readonly actionSize: number;
  readonly observation: Float32Array;
  readonly executedAction: Float32Array;
  terminated = false;
  truncated = false;
  readonly #spec: RobotSpec;
  readonly #task: Task;
  readonly #options: Required<KinematicArmOptions>;
  readonly #state;
  readonly #targets: Float64Array;
  readonly #measured: Float64Array;
  readonly #before;
  #joint: Float64Array;
  #pending: Float64Array[] = [];
  #step = 0;

  constructor(spec: RobotSpec, task: Task, options: KinematicArmOptions) {
    this.#spec = spec;
    this.#task = task;
    this.#options = { gain: 0.5, delayTicks: 1, offsetRad: 0, deadband: 0, ...options };
    this.observationSize = observationSize(spec);
    this.actionSize = spec.joints.length;
    this.observation = new Float32Array(this.observationSize);
    this.executedAction = new Float32Array(this.actionSize);
    this.#state = createControlState(spec);
    this.#targets = new Float64Array(this.actionSize);
    this.#measured = new Float64Array(this.actionSize);
    this.#before = { position: new Float64Array(this.actionSize), velocity: new Float64Array(this.actionSize) };
    this.#joint = new Float64Array(this.actionSize);
  }

  get error(): number {
    return this.#task.errorM(this.#spec, this.#joint, this.#state.goal);
  }

  reset(random: Random): void {
    this.resetTo(random, goal => this.#task.sampleGoal(this.#spec, random, goal));
  }

  resetTo(random: Random, setGoal: (goal: Float64Array) => void): void {
    for (const [j, { range }] of this.#spec.joints.entries())
      this.#joint[j] = random.uniform(range[0] + 0.1, range[1] - 0.1);
    this.#measure();
    resetControlState(this.#state, this.#measured);
    setGoal(this.#state.goal);
    this.#pending = Array.from({ length: this.#options.delayTicks }, () => this.#joint.slice());
    this.#step = 0;
    this.terminated = false;
    this.truncated = false;
    observe(this.#spec, this.#state, this.observation);
  }

  step(action: Float32Array): number {
    this.#before.position.set(this.#state.position);
    this.#before.velocity.set(this.#state.velocity);
    command(this.#spec, this.#state, action, dtS, 1, this.#targets, this.executedAction);
    this.#pending.push(this.#targets.slice());
    const target = this.#pending.shift()!;
    const { gain, offsetRad, deadband } = this.#options;
    for (let j = 0; j < target.length; j++) {
      const error = target[j]! + offsetRad - this.#joint[j]!;
      const moved = Math.abs(error) > deadband ? gain * (error - Math.sign(error) * deadband) : 0;
      this.#joint[j]! += Math.max(-0.12, Math.min(0.12, moved));
    }
    this.#measure();
    sense(this.#state, this.#measured, dtS);
    observe(this.#spec, this.#state, this.observation);
    this.truncated = ++this.#step >= this.#task.episodeS(this.#spec, 1 / dtS) / dtS;
    return this.#task.reward(this.#spec, this.#before, this.executedAction, this.#state, this.#state.goal);
  }

  save(): KinematicArmState {
    const { position, velocity, target, targetVelocity, goal, actions } = structuredClone(this.#state);
    return {
      joint: this.#joint.slice(),
      pending: structuredClone(this.#pending),
      step: this.#step,
      control: { position, velocity, target, targetVelocity, goal, actions },
    };
  }

  load(state: object): void {
    const { joint, pending, step, control } = structuredClone(state as KinematicArmState);
    this.#joint = joint;
    this.#pending = pending;
    this.#step = step;
    this.#state.position.set(control.position);
    this.#state.velocity.set(control.velocity);
    this.#state.target.set(control.target);
    this.#state.targetVelocity.set(control.targetVelocity);
    this.#state.goal.set(control.goal);
    this.#state.actions.set(control.actions);
    this.terminated = false;
    this.truncated = false;
    observe(this.#spec, this.#state, this.observation);
  }

  dispose(): void {}

  #measure(): void {
    for (let j = 0; j < this.#joint.length; j++)
      this.#measured[j] = Math.round(this.#joint[j]! / converterStepRad) * converterStepRad;
  }
}

interface KinematicArmState {
  readonly joint: Float64Array;
  readonly pending: Float64Array[];
  readonly step: number;
  readonly control: ReturnType<typeof createControlState>;
}
