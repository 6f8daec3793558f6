/**
 * What differs from arm to arm, and what is switched while an arm runs, written into MuJoCo's model arrays.
 *
 * A MuJoCo position actuator pulls with gainprm[0]·ctrl + biasprm[1]·position + biasprm[2]·velocity, which is kp, −kp and −kv
 * (https://mujoco.readthedocs.io/en/stable/XMLreference.html#actuator-position). A servo without pulses is one where all three are 0.
 *
 * The scene has for each joint of robot.json a joint and an actuator of its name, and a body `payload` that the load belongs to.
 */
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { ArmVariation } from './arm-variation.js';
import type { MujocoWorld } from './mujoco-world.js';

/** mjNGAIN and mjNBIAS: MuJoCo keeps this many parameters for each actuator. */
const stride = 10;

export class ArmModel {
  readonly #world: MujocoWorld;
  readonly #friction: Float64Array;
  readonly #kp: Float64Array;
  readonly #kv: Float64Array;
  readonly #massKg: number;
  readonly #inertia: Float64Array;
  readonly #powered: Uint8Array;
  #gainScale = 1;
  /** The body that is pushed, and whose mass varies. */
  readonly payload: number;
  /** [joints] where the joint stands in qpos, and its actuator in ctrl. */
  readonly qpos: Int32Array;
  readonly ctrl: Int32Array;

  constructor(spec: RobotSpec, world: MujocoWorld) {
    const { model } = world;
    this.#world = world;
    this.qpos = Int32Array.from(spec.joints, joint => model.jnt_qposadr[world.id('joint', joint.name)]);
    this.ctrl = Int32Array.from(spec.joints, joint => world.id('actuator', joint.name));
    this.#kp = Float64Array.from(this.ctrl, actuator => model.actuator_gainprm[actuator * stride]);
    this.#kv = Float64Array.from(this.ctrl, actuator => -model.actuator_biasprm[actuator * stride + 2]);
    this.#friction = Float64Array.from(model.dof_frictionloss);
    this.payload = world.id('body', 'payload');
    this.#massKg = model.body_mass[this.payload];
    this.#inertia = Float64Array.from(model.body_inertia.subarray(3 * this.payload, 3 * this.payload + 3));
    this.#powered = new Uint8Array(spec.joints.length).fill(1);
  }

  /** Another arm, unpowered. Resets the world: MuJoCo derives constants from the masses. */
  vary({ frictionScale, gainScale, loadScale }: ArmVariation): void {
    const { model } = this.#world;
    const friction = model.dof_frictionloss;
    for (let i = 0; i < friction.length; i++) friction[i] = this.#friction[i]! * frictionScale;
    model.body_mass[this.payload] = this.#massKg * loadScale;
    const inertia = model.body_inertia;
    for (let i = 0; i < 3; i++) inertia[3 * this.payload + i] = this.#inertia[i]! * loadScale;
    this.#gainScale = gainScale;
    for (let j = 0; j < this.ctrl.length; j++) {
      this.#powered[j] = 1;
      this.power(j, false);
    }
    this.#world.modelChanged();
  }

  /** Switches a servo's torque on or off. */
  power(joint: number, on: boolean): void {
    if ((this.#powered[joint] === 1) === on) return;
    this.#powered[joint] = on ? 1 : 0;
    const { model } = this.#world;
    const at = this.ctrl[joint]! * stride;
    const kp = on ? this.#kp[joint]! * this.#gainScale : 0;
    model.actuator_gainprm[at] = kp;
    model.actuator_biasprm[at + 1] = -kp;
    model.actuator_biasprm[at + 2] = on ? -this.#kv[joint]! : 0;
  }
}
