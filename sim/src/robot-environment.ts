/**
 * A robot's task in simulation, tick by tick as the runtime does it: sense, observe, (policy), command, and the pulses reach the servos
 * when the firmware would let them. The reward is the task's own, of measured positions, so that a log gives the same.
 */
import { type ControlState, createControlState, resetControlState } from '@sim2servo/models/control-state';
import { command, sense } from '@sim2servo/models/control-step';
import { KitError } from '@sim2servo/models/error';
import { fingertip, insideWorkspace } from '@sim2servo/models/kinematics';
import { observationSize, observe } from '@sim2servo/models/observe';
import { Random } from '@sim2servo/models/random';
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { type ServoScale, servoScale } from '@sim2servo/models/servo-scale';
import { samplePosture, sampleReachablePosture } from '@sim2servo/models/tasks/reachable-set';
import type { Task } from '@sim2servo/models/tasks/task';
import { type ArmVariation, nominalArm } from './arm-variation.js';
import { type CommandLatency, commandLatency, drawArm, drawLatencyS } from './domain-randomisation.js';
import type { Environment, EnvironmentState } from './environment.js';
import { ServoArm, type ServoArmState } from './servo-arm.js';

export interface RobotEnvironmentOptions {
  readonly robot: LoadedRobot;
  readonly task: Task;
  readonly controlRateHz: number;
  /** True: another arm and another latency for each episode. False: the nominal arm. Or always the same other one. */
  readonly randomise: boolean | ArmVariation;
  /**
   * Share of the episodes that start on the way to their goal: its posture, every joint turned by up to some angle. From next to the goal
   * to anywhere, so that what is learnt near it spreads along ways that no distance to the goal tells, such as over the shoulder.
   */
  readonly nearStarts?: number;
  /** Share of the episodes that start where the one before has ended: who has got stuck learns to get out, instead of being put elsewhere. */
  readonly chainedStarts?: number;
}

/** Angles by which joints are turned away from a goal's posture, rad: from precision to another side of the arm, each order as often. */
const nearRad = { least: 0.05, most: 3 };

interface RobotEnvironmentState {
  readonly arm: ServoArmState;
  readonly control: ControlState;
  readonly latencyS: number;
  readonly ticks: number;
  readonly goalStart: Float64Array;
  readonly pushes: readonly number[];
  readonly truncated: boolean;
  readonly observation: Float32Array;
  readonly executedAction: Float32Array;
}

export class RobotEnvironment implements Environment {
  readonly observationSize: number;
  readonly actionSize: number;
  readonly observation: Float32Array;
  readonly executedAction: Float32Array;
  /** Reaching has no end of its own. */
  readonly terminated = false;
  readonly #options: RobotEnvironmentOptions;
  readonly #arm: ServoArm;
  readonly #scales: readonly ServoScale[];
  readonly #dtS: number;
  readonly #episodeTicks: number;
  readonly #control: ControlState;
  readonly #before: { position: Float64Array; velocity: Float64Array };
  readonly #measured: Float64Array;
  readonly #targets: Float64Array;
  readonly #commanded: Float64Array;
  readonly #true: Float64Array;
  /** [3] where the goal was when the episode began. */
  readonly #goalStart = new Float64Array(3);
  readonly #forceN = new Float64Array(3);
  #pushes = new Random(0);
  readonly #latency: CommandLatency;
  #latencyS: number;
  #ticks = 0;
  #truncated = false;

  private constructor(options: RobotEnvironmentOptions, arm: ServoArm) {
    const { spec, site } = options.robot;
    const joints = spec.joints.length;
    this.#options = options;
    this.#arm = arm;
    this.#scales = servosInOrder(spec, site).map(servoScale);
    this.#latency = commandLatency(site.bus);
    this.#latencyS = this.#latency.nominalS;
    this.#dtS = 1 / options.controlRateHz;
    this.#episodeTicks = Math.round(options.task.episodeS(spec, options.controlRateHz) * options.controlRateHz);
    this.observationSize = observationSize(spec);
    this.actionSize = joints;
    this.observation = new Float32Array(this.observationSize);
    this.executedAction = new Float32Array(joints);
    this.#control = createControlState(spec);
    this.#before = { position: new Float64Array(joints), velocity: new Float64Array(joints) };
    this.#measured = new Float64Array(joints);
    this.#true = new Float64Array(joints);
    this.#targets = new Float64Array(joints);
    this.#commanded = new Float64Array(joints);
  }

  static async create(options: RobotEnvironmentOptions): Promise<RobotEnvironment> {
    return new RobotEnvironment(options, await ServoArm.create(options.robot));
  }

  get truncated(): boolean {
    return this.#truncated;
  }

  /**
   * A new episode, with a goal of the task: at rest, told to stay there, at a random posture off the soft limits, on the way to the goal,
   * or where the episode before has ended.
   */
  reset(random: Random): void {
    const { task, robot } = this.#options;
    const { spec } = robot;
    const start = new Float64Array(this.actionSize);
    const { nearStarts = 0, chainedStarts = 0 } = this.#options;
    const drawn = task.startsAtGoal || nearStarts + chainedStarts === 0 ? 1 : random.uniform(0, 1);
    if (drawn < nearStarts) this.#startNear(start, random);
    else if (drawn < nearStarts + chainedStarts && this.#truncated) {
      for (let j = 0; j < start.length; j++) start[j] = this.#arm.angle(j);
      task.sampleGoal(spec, random, this.#control.goal);
    } else {
      samplePosture(spec, random, spec.safety.softLimit, start);
      if (task.startsAtGoal) fingertip(spec, start, this.#control.goal);
      else task.sampleGoal(spec, random, this.#control.goal);
    }
    this.#begin(start, random);
  }

  /** A goal uniform over the reachable set, and a start on the way to it; at it where that lies outside the workspace. */
  #startNear(start: Float64Array, random: Random): void {
    const { spec } = this.#options.robot;
    const { softLimit } = spec.safety;
    const there = sampleReachablePosture(spec, random);
    fingertip(spec, there, this.#control.goal);
    const width = Math.exp(random.uniform(Math.log(nearRad.least), Math.log(nearRad.most)));
    for (let j = 0; j < start.length; j++) {
      const [low, high] = spec.joints[j]!.range;
      start[j] = Math.max(low + softLimit, Math.min(high - softLimit, there[j]! + random.uniform(-width, width)));
    }
    if (!insideWorkspace(spec, start)) start.set(there);
  }

  /**
   * An episode with a given goal and start: for evaluation on held-out targets.
   *
   * @param goal  [3] m
   * @param start [joints] rad
   */
  resetTo(goal: ArrayLike<number>, start: ArrayLike<number>, random: Random): void {
    if (goal.length !== this.#control.goal.length || start.length !== this.actionSize)
      throw new KitError(
        'E_EPISODE',
        `an episode needs a goal of 3 numbers and a start of ${this.actionSize}, not ${goal.length} and ${start.length}`,
        'give the goal first, then the start',
        'bug',
      );
    this.#control.goal.set(goal);
    this.#begin(start, random);
  }

  #begin(start: ArrayLike<number>, random: Random): void {
    const { randomise } = this.#options;
    const variation =
      randomise === true ? drawArm(random, this.#arm.nominalDelayS) : randomise === false ? nominalArm : randomise;
    this.#latencyS = randomise === true ? drawLatencyS(random, this.#latency) : this.#latency.nominalS;
    this.#arm.reset(start, variation, random);
    this.#measure();
    resetControlState(this.#control, this.#measured);
    this.#send(this.#measured);
    this.#goalStart.set(this.#control.goal);
    if (this.#options.task.push) this.#pushes = random.fork('pushes');
    this.#ticks = 0;
    this.#truncated = false;
    this.executedAction.fill(0);
    observe(this.#options.robot.spec, this.#control, this.observation);
  }

  step(action: ArrayLike<number>): number {
    const { robot, task } = this.#options;
    const control = this.#control;
    this.#before.position.set(control.position);
    this.#before.velocity.set(control.velocity);
    this.#push();
    command(robot.spec, control, action, this.#dtS, 1, this.#targets, this.executedAction);
    const sendS = Math.min(this.#latencyS, this.#dtS);
    this.#arm.advance(sendS);
    this.#send(this.#targets);
    this.#arm.advance(this.#dtS - sendS);
    this.#measure();
    sense(control, this.#measured, this.#dtS);
    // Of the goal that the action was chosen for, as the log has it; then the goal moves on.
    const reward = task.reward(robot.spec, this.#before, this.executedAction, control, control.goal);
    this.#truncated = ++this.#ticks >= this.#episodeTicks;
    task.goalAt?.(this.#goalStart, this.#ticks / this.#options.controlRateHz, control.goal);
    observe(robot.spec, control, this.observation);
    return reward;
  }

  /** Another push where one is due, uniform in the ball of the task's force. */
  #push(): void {
    const { push } = this.#options.task;
    if (push === undefined || this.#ticks % Math.round(push.everyS / this.#dtS) !== 0) return;
    const force = this.#forceN;
    do for (let i = 0; i < 3; i++) force[i] = this.#pushes.uniform(-push.maxN, push.maxN);
    while (Math.hypot(force[0]!, force[1]!, force[2]!) > push.maxN);
    this.#arm.push(force);
  }

  /** Joint targets, rounded as they reach the servos. */
  #send(targets: ArrayLike<number>): void {
    for (let j = 0; j < this.actionSize; j++) this.#commanded[j] = this.#scales[j]!.commandedAngle(targets[j]!);
    this.#arm.setTargets(this.#commanded);
  }

  #measure(): void {
    for (let j = 0; j < this.actionSize; j++) this.#measured[j] = this.#arm.feedbackAngle(j);
  }

  /** The task's error at the true joint angles, m. */
  get error(): number {
    for (let j = 0; j < this.actionSize; j++) this.#true[j] = this.#arm.angle(j);
    return this.#options.task.errorM(this.#options.robot.spec, this.#true, this.#control.goal);
  }

  /** The arm of this episode. */
  get variation(): ArmVariation {
    return this.#arm.variation;
  }

  /** What the policy's observation is made of; the live record. */
  get control(): ControlState {
    return this.#control;
  }

  save(): RobotEnvironmentState {
    return {
      arm: this.#arm.save(),
      control: structuredClone(this.#control),
      latencyS: this.#latencyS,
      ticks: this.#ticks,
      goalStart: this.#goalStart.slice(),
      pushes: this.#pushes.save(),
      truncated: this.#truncated,
      observation: this.observation.slice(),
      executedAction: this.executedAction.slice(),
    };
  }

  load(state: EnvironmentState): void {
    const saved = state as RobotEnvironmentState;
    this.#arm.load(saved.arm);
    for (const key of ['position', 'velocity', 'target', 'targetVelocity', 'goal', 'actions'] as const)
      this.#control[key].set(saved.control[key]);
    this.#latencyS = saved.latencyS;
    this.#ticks = saved.ticks;
    this.#goalStart.set(saved.goalStart);
    this.#pushes = Random.restore(saved.pushes);
    this.#truncated = saved.truncated;
    this.observation.set(saved.observation);
    this.executedAction.set(saved.executedAction);
  }

  dispose(): void {
    this.#arm.dispose();
  }
}
