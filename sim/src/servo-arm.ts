/**
 * An arm of hobby servos: pulses in, converter counts out. Training and the hardware rigs drive this one, so what a policy learnt on is
 * what the firmware's pulses move.
 *
 * A servo is MuJoCo's position actuator (gain, torque limit, gear friction of the scene) with what a hobby servo has besides: it acts
 * on a pulse after a delay, its motor turns no faster than its speed, backlash lies between motor and joint, and without pulses it is
 * limp. Feedback is a potentiometer behind a 10-bit converter, with noise.
 */
import { countsOfAngle } from '@sim2servo/models/hobby-servo';
import { Random } from '@sim2servo/models/random';
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import type { HobbyServo } from '@sim2servo/models/site';
import { type ArmVariation, nominalArm } from './arm-variation.js';
import { MujocoWorld } from './mujoco-world.js';

/** Commands on their way to the servos: more than one period's worth of delay is never in flight. */
const queueLength = 8;
const converterMax = 1023;
/** MuJoCo keeps this many gain parameters for each actuator. */
const gainStride = 10;

export interface ServoArmState {
  readonly world: Float64Array;
  readonly motor: Float64Array;
  readonly command: Float64Array;
  readonly queue: readonly Float64Array[];
  readonly due: readonly number[];
  readonly queued: number;
  readonly steps: number;
  readonly pendingS: number;
  readonly noise: readonly number[];
  readonly variation: ArmVariation;
}

export class ServoArm {
  readonly world: MujocoWorld;
  readonly joints: number;
  readonly #servos: readonly HobbyServo[];
  readonly #qpos: readonly number[];
  readonly #speedRadPerS: number;
  readonly #halfBacklashRad: number;
  readonly #noiseCounts: number;
  readonly #payload: number;
  readonly #nominal: { friction: Float64Array; gain: Float64Array; bias: Float64Array; massKg: number; inertia: Float64Array };
  /** [joints] where each motor stands, rad. */
  readonly #motor: Float64Array;
  /** [joints] what each servo acts on now, rad; NaN: no pulses. */
  readonly #command: Float64Array;
  readonly #queue: Float64Array[];
  readonly #due: number[];
  #queued = 0;
  #steps = 0;
  #pendingS = 0;
  #noise = new Random(0);
  #variation: ArmVariation = nominalArm;

  private constructor(robot: LoadedRobot, world: MujocoWorld) {
    const { spec, site } = robot;
    this.world = world;
    this.joints = spec.joints.length;
    this.#servos = servosInOrder(spec, site);
    const { model } = world;
    this.#qpos = spec.joints.map(joint => model.jnt_qposadr[world.id('joint', joint.name)]!);
    this.#speedRadPerS = world.numeric('servo_speed_rad_s');
    this.#halfBacklashRad = world.numeric('backlash_rad') / 2;
    this.#noiseCounts = world.numeric('feedback_noise_counts');
    this.#payload = world.id('body', 'payload');
    this.#nominal = {
      friction: Float64Array.from(model.dof_frictionloss),
      gain: Float64Array.from(model.actuator_gainprm),
      bias: Float64Array.from(model.actuator_biasprm),
      massKg: model.body_mass[this.#payload]!,
      inertia: Float64Array.from(model.body_inertia.subarray(3 * this.#payload, 3 * this.#payload + 3)),
    };
    this.#motor = new Float64Array(this.joints);
    this.#command = new Float64Array(this.joints).fill(Number.NaN);
    this.#queue = Array.from({ length: queueLength }, () => new Float64Array(this.joints));
    this.#due = new Array<number>(queueLength).fill(0);
  }

  static async create(robot: LoadedRobot): Promise<ServoArm> {
    return new ServoArm(robot, await MujocoWorld.load(robot.scenePath));
  }

  /**
   * Another arm at rest, without pulses.
   *
   * @param position [joints] rad
   * @param random   the converter's noise comes from a fork of it
   */
  reset(position: ArrayLike<number>, variation: ArmVariation, random: Random): void {
    this.#vary(variation);
    this.world.reset();
    const { qpos, ctrl } = this.world.views;
    for (let j = 0; j < this.joints; j++) {
      qpos[this.#qpos[j]!] = position[j]!;
      ctrl[j] = position[j]!;
      this.#motor[j] = position[j]!;
    }
    this.#command.fill(Number.NaN);
    this.#queued = 0;
    this.#steps = 0;
    this.#pendingS = 0;
    this.#noise = random.fork('converter noise');
    this.world.forward();
  }

  #vary(variation: ArmVariation): void {
    const { model } = this.world;
    const { friction, gain, bias, massKg, inertia } = this.#nominal;
    for (let i = 0; i < friction.length; i++) model.dof_frictionloss[i] = friction[i]! * variation.frictionScale;
    for (let j = 0; j < this.joints; j++) {
      model.actuator_gainprm[j * gainStride] = gain[j * gainStride]! * variation.gainScale;
      model.actuator_biasprm[j * gainStride + 1] = bias[j * gainStride + 1]! * variation.gainScale;
    }
    model.body_mass[this.#payload] = massKg * variation.loadScale;
    for (let i = 0; i < 3; i++) model.body_inertia[3 * this.#payload + i] = inertia[i]! * variation.loadScale;
    this.world.modelChanged();
    this.#variation = variation;
  }

  /** @param anglesRad [joints] what the pulses ask for; NaN where no pulses come: that servo is limp */
  setPulseAngles(anglesRad: ArrayLike<number>): void {
    if (this.#queued === queueLength) this.#deliver();
    this.#queue[this.#queued]!.set(anglesRad);
    this.#due[this.#queued] = this.#steps + Math.round(this.#variation.delayS / this.world.timestepS);
    this.#queued++;
  }

  /** The oldest command arrives. */
  #deliver(): void {
    const arrived = this.#queue[0]!;
    this.#command.set(arrived);
    this.#queue.copyWithin(0, 1);
    this.#queue[queueLength - 1] = arrived;
    this.#due.copyWithin(0, 1);
    this.#queued--;
  }

  /** Lets time go by, in whole physics steps; what is left over counts towards the next call. */
  advance(seconds: number): void {
    const { timestepS } = this.world;
    this.#pendingS += seconds;
    // A hair's breadth, so that ten steps of 2 ms are not nine and a rounding error.
    while (this.#pendingS > timestepS - 1e-9) {
      this.#pendingS -= timestepS;
      this.#step(timestepS);
    }
  }

  #step(timestepS: number): void {
    while (this.#queued > 0 && this.#due[0]! <= this.#steps) this.#deliver();
    const { qpos, ctrl } = this.world.views;
    const stride = this.#speedRadPerS * timestepS;
    for (let j = 0; j < this.joints; j++) {
      const angle = qpos[this.#qpos[j]!]!;
      const command = this.#command[j]!;
      if (Number.isNaN(command)) {
        // Limp: the motor is turned by the joint, and MuJoCo's actuator pulls at nothing.
        this.#motor[j] = angle;
        ctrl[j] = angle;
        continue;
      }
      const wanted = command + this.#variation.offsetRad - this.#motor[j]!;
      this.#motor[j]! += Math.max(-stride, Math.min(stride, wanted));
      const twist = this.#motor[j]! - angle;
      const slack = Math.sign(twist) * Math.max(0, Math.abs(twist) - this.#halfBacklashRad);
      ctrl[j] = angle + slack;
    }
    this.world.step();
    this.#steps++;
  }

  /** True joint angle, rad. */
  angle(joint: number): number {
    return this.world.views.qpos[this.#qpos[joint]!]!;
  }

  /** What the board's converter reads of a joint now: 0 … 1023, with noise; each call is a new sample. */
  feedbackCounts(joint: number): number {
    const counts = countsOfAngle(this.#servos[joint]!, this.angle(joint)) + this.#noiseCounts * this.#noise.normal();
    return Math.max(0, Math.min(converterMax, Math.round(counts)));
  }

  save(): ServoArmState {
    return {
      world: this.world.save(),
      motor: this.#motor.slice(),
      command: this.#command.slice(),
      queue: this.#queue.map(angles => angles.slice()),
      due: [...this.#due],
      queued: this.#queued,
      steps: this.#steps,
      pendingS: this.#pendingS,
      noise: this.#noise.save(),
      variation: this.#variation,
    };
  }

  load(state: ServoArmState): void {
    this.#vary(state.variation);
    this.world.load(state.world);
    this.#motor.set(state.motor);
    this.#command.set(state.command);
    for (const [i, angles] of state.queue.entries()) this.#queue[i]!.set(angles);
    for (const [i, due] of state.due.entries()) this.#due[i] = due;
    this.#queued = state.queued;
    this.#steps = state.steps;
    this.#pendingS = state.pendingS;
    this.#noise = Random.restore(state.noise);
  }

  dispose(): void {
    this.world.dispose();
  }
}
