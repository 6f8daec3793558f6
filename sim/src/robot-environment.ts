/**
 * A robot's task in simulation, tick by tick as the runtime does it: sense, observe, (policy), command, and the pulses reach the servos
 * when the firmware would let them. The reward is the task's own, of measured positions, so that a log gives the same.
 */
import { command, sense } from '@sim2servo/models/control-step';
import { type ControlState, createControlState, resetControlState } from '@sim2servo/models/control-state';
import { angleOfCounts, angleOfPulse, pulseOfAngle } from '@sim2servo/models/hobby-servo';
import { observationSize, observe } from '@sim2servo/models/observe';
import type { Random } from '@sim2servo/models/random';
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import type { HobbyServo } from '@sim2servo/models/site';
import type { Task } from '@sim2servo/models/tasks/task';
import { type ArmVariation, drawArm, nominalArm } from './arm-variation.js';
import type { Environment, EnvironmentState } from './environment.js';
import { ServoArm, type ServoArmState } from './servo-arm.js';

/** From the converter's sample to the end of the first pulse that can answer it: 8 ms to the next period, and the pulse itself. */
const sampleToPulseS = 0.0095;
/** Resolution of the board's timer. */
const pulseStepUs = 0.5;

export interface RobotEnvironmentOptions {
  readonly robot: LoadedRobot;
  readonly task: Task;
  readonly controlRateHz: number;
  /** True: another arm for each episode. False: the nominal arm. Or always the same other one. */
  readonly randomise: boolean | ArmVariation;
}

interface RobotEnvironmentState {
  readonly arm: ServoArmState;
  readonly control: ControlState;
  readonly ticks: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
  readonly observation: Float32Array;
}

export class RobotEnvironment implements Environment {
  readonly observationSize: number;
  readonly actionSize: number;
  readonly observation: Float32Array;
  readonly executedAction: Float32Array;
  readonly terminated = false;
  truncated = false;
  readonly #options: RobotEnvironmentOptions;
  readonly #arm: ServoArm;
  readonly #servos: readonly HobbyServo[];
  readonly #dtS: number;
  readonly #episodeTicks: number;
  readonly #control: ControlState;
  readonly #before: { position: Float64Array; velocity: Float64Array };
  readonly #measured: Float64Array;
  readonly #targets: Float64Array;
  readonly #pulseAngles: Float64Array;
  readonly #true: Float64Array;
  #ticks = 0;

  private constructor(options: RobotEnvironmentOptions, arm: ServoArm) {
    const { spec, site } = options.robot;
    const joints = spec.joints.length;
    this.#options = options;
    this.#arm = arm;
    this.#servos = servosInOrder(spec, site);
    this.#dtS = 1 / options.controlRateHz;
    this.#episodeTicks = Math.round(options.task.episodeS * options.controlRateHz);
    this.observationSize = observationSize(spec);
    this.actionSize = joints;
    this.observation = new Float32Array(this.observationSize);
    this.executedAction = new Float32Array(joints);
    this.#control = createControlState(spec);
    this.#before = { position: new Float64Array(joints), velocity: new Float64Array(joints) };
    this.#measured = new Float64Array(joints);
    this.#true = new Float64Array(joints);
    this.#targets = new Float64Array(joints);
    this.#pulseAngles = new Float64Array(joints);
  }

  static async create(options: RobotEnvironmentOptions): Promise<RobotEnvironment> {
    return new RobotEnvironment(options, await ServoArm.create(options.robot));
  }

  reset(random: Random): void {
    const { spec } = this.#options.robot;
    const start = spec.joints.map(({ range: [low, high] }) =>
      random.uniform(low + spec.safety.softLimit, high - spec.safety.softLimit),
    );
    this.#options.task.sampleGoal(spec, random, this.#control.goal);
    this.#begin(start, random);
  }

  /** An episode with a given start and goal: for evaluation on held-out targets. */
  resetTo(start: ArrayLike<number>, goal: ArrayLike<number>, random: Random): void {
    this.#control.goal.set(goal);
    this.#begin(start, random);
  }

  #begin(start: ArrayLike<number>, random: Random): void {
    const { randomise } = this.#options;
    const variation = randomise === true ? drawArm(random) : randomise === false ? nominalArm : randomise;
    this.#arm.reset(start, variation, random);
    this.#measure();
    resetControlState(this.#control, this.#measured);
    this.#send(this.#measured);
    this.#ticks = 0;
    this.truncated = false;
    this.executedAction.fill(0);
    observe(this.#options.robot.spec, this.#control, this.observation);
  }

  step(action: ArrayLike<number>): number {
    const { robot, task } = this.#options;
    const control = this.#control;
    this.#before.position.set(control.position);
    this.#before.velocity.set(control.velocity);
    command(robot.spec, control, action, this.#dtS, 1, this.#targets, this.executedAction);
    const sendS = Math.min(sampleToPulseS, this.#dtS);
    this.#arm.advance(sendS);
    this.#send(this.#targets);
    this.#arm.advance(this.#dtS - sendS);
    this.#measure();
    sense(control, this.#measured, this.#dtS);
    observe(robot.spec, control, this.observation);
    this.truncated = ++this.#ticks >= this.#episodeTicks;
    return task.reward(robot.spec, this.#before, this.executedAction, control, control.goal);
  }

  /** Joint targets to what the rounded pulses ask for. */
  #send(targets: ArrayLike<number>): void {
    for (let j = 0; j < this.actionSize; j++) {
      const servo = this.#servos[j]!;
      const pulse = Math.round(pulseOfAngle(servo, targets[j]!) / pulseStepUs) * pulseStepUs;
      this.#pulseAngles[j] = angleOfPulse(servo, pulse);
    }
    this.#arm.setPulseAngles(this.#pulseAngles);
  }

  #measure(): void {
    for (let j = 0; j < this.actionSize; j++) this.#measured[j] = angleOfCounts(this.#servos[j]!, this.#arm.feedbackCounts(j));
  }

  /** The task's error at the true joint angles, m. */
  get error(): number {
    for (let j = 0; j < this.actionSize; j++) this.#true[j] = this.#arm.angle(j);
    return this.#options.task.errorM(this.#options.robot.spec, this.#true, this.#control.goal);
  }

  /** What the policy's observation is made of; the live record. */
  get control(): ControlState {
    return this.#control;
  }

  save(): RobotEnvironmentState {
    return {
      arm: this.#arm.save(),
      control: structuredClone(this.#control),
      ticks: this.#ticks,
      terminated: this.terminated,
      truncated: this.truncated,
      observation: this.observation.slice(),
    };
  }

  load(state: EnvironmentState): void {
    const saved = state as RobotEnvironmentState;
    this.#arm.load(saved.arm);
    for (const key of ['position', 'velocity', 'target', 'targetVelocity', 'goal', 'actions'] as const)
      this.#control[key].set(saved.control[key]);
    this.#ticks = saved.ticks;
    this.truncated = saved.truncated;
    this.observation.set(saved.observation);
  }

  dispose(): void {
    this.#arm.dispose();
  }
}
