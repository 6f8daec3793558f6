/**
 * An arm of servos: angles in, counts out. Training and the hardware rigs drive this one, so what a policy learnt on is what the
 * firmware's pulses or a bus's goals move.
 *
 * A servo is MuJoCo's position actuator (gain, torque limit, gear friction of the scene) with what a servo has besides: it acts on a
 * command after a delay, its motor turns no faster than its speed, backlash lies between motor and joint, and without pulses or torque
 * it is limp. Feedback is a converter or an encoder, with noise. The figures stand in the scene's `<custom>` part, one for all joints or
 * one for each.
 */
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { type ServoScale, servoScale } from '@sim2servo/models/servo-scale';
import { ArmModel } from './arm-model.js';
import { type ArmVariation, nominalArm } from './arm-variation.js';
import { CommandQueue } from './command-queue.js';
import { MujocoWorld } from './mujoco-world.js';

/** Slower servos than this are broken ones. */
const maxDelayS = 0.1;
/** So that ten advances of 2 ms are ten steps of 2 ms, and not nine and a rounding error. */
const toleranceS = 1e-9;

/** Plain data and typed arrays. */
export interface ServoArmState {
  readonly variation: ArmVariation;
  readonly world: Float64Array;
  readonly motor: Float64Array;
  readonly command: Float64Array;
  readonly queue: Float64Array;
  readonly steps: number;
  readonly pendingS: number;
  readonly noise: readonly number[];
}

export class ServoArm {
  readonly joints: number;
  readonly world: MujocoWorld;
  /** Of the scene: from a command's arrival to the servo's acting on it. */
  readonly nominalDelayS: number;
  readonly #model: ArmModel;
  readonly #scales: readonly ServoScale[];
  /** [joints] each. */
  readonly #speedRadPerS: Float64Array;
  readonly #backlashRad: Float64Array;
  readonly #noiseCounts: Float64Array;
  /** [joints] where each motor stands, rad. */
  readonly #motor: Float64Array;
  /** [joints] what each servo acts on now, rad; NaN: no pulses. */
  readonly #command: Float64Array;
  readonly #queue: CommandQueue;
  /** [joints] of the variation. */
  readonly #offsetRad: Float64Array;
  #variation = nominalArm;
  #delayS = 0;
  #steps = 0;
  #pendingS = 0;
  #noise = new Random(0);

  private constructor(robot: LoadedRobot, world: MujocoWorld) {
    const { spec, site } = robot;
    this.world = world;
    this.joints = spec.joints.length;
    this.#model = new ArmModel(spec, world);
    this.#scales = servosInOrder(spec, site).map(servoScale);
    this.#speedRadPerS = world.numerics('servo_speed_rad_s', this.joints);
    this.#backlashRad = world.numerics('backlash_rad', this.joints);
    this.#noiseCounts = world.numerics('feedback_noise_counts', this.joints);
    this.nominalDelayS = world.numeric('servo_delay_s');
    this.#motor = new Float64Array(this.joints);
    this.#command = new Float64Array(this.joints);
    this.#offsetRad = new Float64Array(this.joints);
    this.#queue = new CommandQueue(this.joints, Math.ceil(maxDelayS / world.timestepS));
  }

  /** The nominal arm, limp, its joints at home. */
  static async create(robot: LoadedRobot): Promise<ServoArm> {
    const world = await MujocoWorld.load(robot.scenePath);
    try {
      const arm = new ServoArm(robot, world);
      arm.reset(
        robot.spec.joints.map(joint => joint.home),
        nominalArm,
        new Random(0),
      );
      return arm;
    } catch (error) {
      world.dispose();
      throw error;
    }
  }

  /**
   * Another arm, at rest and limp.
   *
   * @param position [joints] rad
   * @param random   the converter's noise comes from a fork of it
   * @throws KitError E_ARM_VARIATION
   */
  reset(position: ArrayLike<number>, variation: ArmVariation, random: Random): void {
    this.#vary(variation);
    const { qpos } = this.world.views;
    for (let j = 0; j < this.joints; j++) {
      qpos[this.#model.qpos[j]!] = position[j]!;
      this.#motor[j] = position[j]!;
    }
    this.world.placed();
    this.#command.fill(Number.NaN);
    this.#queue.clear();
    this.#steps = 0;
    this.#pendingS = 0;
    this.#noise = random.fork('converter noise');
  }

  #vary(variation: ArmVariation): void {
    const { offsetRad, delayS = this.nominalDelayS } = variation;
    if (!(delayS >= 0 && delayS <= maxDelayS)) throw refused(`delayS ${delayS}`, `0 … ${maxDelayS} s`);
    if (typeof offsetRad !== 'number' && offsetRad.length !== this.joints)
      throw refused(`offsetRad [${offsetRad}]`, `one number, or ${this.joints}`);
    if (typeof offsetRad === 'number') this.#offsetRad.fill(offsetRad);
    else this.#offsetRad.set(offsetRad);
    this.#delayS = delayS;
    this.#model.vary(variation);
    this.#variation = variation;
  }

  get variation(): ArmVariation {
    return this.#variation;
  }

  /** @param anglesRad [joints] what the servos are told; NaN where one is told nothing (no pulses, torque off): it is limp */
  setTargets(anglesRad: ArrayLike<number>): void {
    const lateSteps = Math.round((this.#pendingS + this.#delayS) / this.world.timestepS);
    this.#queue.push(anglesRad, this.#steps + lateSteps);
  }

  /** Something pushes the payload from now on, until it pushes otherwise: [3] N in the base frame. */
  push(forceN: ArrayLike<number>): void {
    const { xfrcApplied } = this.world.views;
    for (let i = 0; i < 3; i++) xfrcApplied[6 * this.#model.payload + i] = forceN[i]!;
  }

  /** Lets time go by, in whole physics steps; what is left over counts towards the next call. */
  advance(seconds: number): void {
    const { timestepS } = this.world;
    this.#pendingS += seconds;
    while (this.#pendingS > timestepS - toleranceS) {
      this.#pendingS -= timestepS;
      this.#step(timestepS);
    }
  }

  #step(timestepS: number): void {
    const { qpos, ctrl } = this.world.views;
    if (this.#queue.take(this.#steps, this.#command))
      for (let j = 0; j < this.joints; j++) this.#model.power(j, !Number.isNaN(this.#command[j]));
    for (let j = 0; j < this.joints; j++) {
      const angle = qpos[this.#model.qpos[j]!]!;
      const command = this.#command[j]!;
      if (Number.isNaN(command)) {
        // Limp: the joint turns the motor.
        this.#motor[j] = angle;
        continue;
      }
      const stride = this.#speedRadPerS[j]! * timestepS;
      const way = command + this.#offsetRad[j]! - this.#motor[j]!;
      this.#motor[j]! += Math.max(-stride, Math.min(stride, way));
      const twist = this.#motor[j]! - angle;
      const engaged = Math.sign(twist) * Math.max(0, Math.abs(twist) - this.#backlashRad[j]! / 2);
      ctrl[this.#model.ctrl[j]!] = angle + engaged;
    }
    this.world.step();
    this.#steps++;
  }

  /** True joint angle, rad. */
  angle(joint: number): number {
    return this.world.views.qpos[this.#model.qpos[joint]!]!;
  }

  /** What is read of a joint now, in whole counts, with noise; each call is a new sample. */
  feedbackCounts(joint: number): number {
    const { countsOfAngle, lastCount } = this.#scales[joint]!;
    const counts = countsOfAngle(this.angle(joint)) + this.#noiseCounts[joint]! * this.#noise.normal();
    return Math.max(0, Math.min(lastCount, Math.round(counts)));
  }

  /** The same as an angle, as the host gets it, rad. */
  feedbackAngle(joint: number): number {
    return this.#scales[joint]!.angleOfCounts(this.feedbackCounts(joint));
  }

  /** All that the arm's future depends on, bit for bit. */
  save(): ServoArmState {
    return {
      variation: this.#variation,
      world: this.world.save(),
      motor: this.#motor.slice(),
      command: this.#command.slice(),
      queue: this.#queue.save(),
      steps: this.#steps,
      pendingS: this.#pendingS,
      noise: this.#noise.save(),
    };
  }

  load(state: ServoArmState): void {
    this.#vary(state.variation);
    this.world.load(state.world);
    this.#motor.set(state.motor);
    this.#command.set(state.command);
    for (let j = 0; j < this.joints; j++) this.#model.power(j, !Number.isNaN(this.#command[j]));
    this.#queue.load(state.queue);
    this.#steps = state.steps;
    this.#pendingS = state.pendingS;
    this.#noise = Random.restore(state.noise);
  }

  dispose(): void {
    this.world.dispose();
  }
}

function refused(what: string, allowed: string): KitError {
  return new KitError('E_ARM_VARIATION', `an arm can't have ${what}`, `give ${allowed}`, 'usage');
}
