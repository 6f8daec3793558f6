/**
 * One MuJoCo model and its state, through the WASM build (https://github.com/google-deepmind/mujoco/tree/main/wasm).
 *
 * The typed arrays that MuJoCo hands out are views of its WASM memory: they go stale when that grows, which loading another model may
 * do. So views are taken again whenever their buffer has gone. The module is loaded once a thread.
 */
import { readFileSync } from 'node:fs';
import loadMujoco, { type MainModule, type MjData, type MjModel } from '@mujoco/mujoco';
import { KitError, messageOf } from '@sim2servo/models/error';

let module: Promise<MainModule> | undefined;

/** MuJoCo itself, loaded once a thread. */
export function mujocoModule(): Promise<MainModule> {
  module ??= loadMujoco();
  return module;
}

/**
 * Name of a thing, from the model's own text: `mj_id2name` hands out other bytes where there is none.
 *
 * @param addresses where names of its kind begin, such as name_bodyadr
 */
export function nameOf(model: MjModel, addresses: ArrayLike<number>, id: number): string {
  const names = model.names as Int8Array;
  const from = addresses[id]!;
  return Buffer.from(names.slice(from, names.indexOf(0, from))).toString('utf8') || `#${id}`;
}

/** Live views of MuJoCo's state; take them from {@link MujocoWorld.views} before each use. */
export interface WorldViews {
  /** [nq] joint positions */
  readonly qpos: Float64Array;
  /** [nv] joint velocities */
  readonly qvel: Float64Array;
  /** [nu] actuator commands */
  readonly ctrl: Float64Array;
  /** [bodies × 6] force in N and torque in N·m that somebody puts on each body, in the world's axes */
  readonly xfrcApplied: Float64Array;
  /** [bodies × 3] in the world, m; as of the positions before the last step, see {@link MujocoWorld.placed} */
  readonly bodyXpos: Float64Array;
  /** [sites × 3] likewise */
  readonly siteXpos: Float64Array;
  /** [nv] what limits and contacts exert on each degree of freedom, in the last step */
  readonly qfrcConstraint: Float64Array;
  /** [nv] what has to be exerted on each degree of freedom so that it does not accelerate: gravity, at rest */
  readonly qfrcBias: Float64Array;
  /** [nu] what each actuator pulls with, in the last step */
  readonly actuatorForce: Float64Array;
}

export class MujocoWorld {
  readonly #mujoco: MainModule;
  readonly #data: MjData;
  readonly #stateSize: number;
  /** For varying masses, friction and gains; call {@link modelChanged} afterwards. */
  readonly model: MjModel;
  readonly timestepS: number;
  #views: WorldViews;

  private constructor(mujoco: MainModule, model: MjModel) {
    this.#mujoco = mujoco;
    this.model = model;
    this.#data = new mujoco.MjData(model);
    this.timestepS = model.opt.timestep;
    this.#stateSize = mujoco.mj_stateSize(model, this.#integration);
    this.#views = this.#take();
    this.placed();
  }

  /** @throws KitError E_SCENE where the MJCF can't be read or MuJoCo refuses it */
  static async load(scenePath: string): Promise<MujocoWorld> {
    const mujoco = await mujocoModule();
    try {
      return new MujocoWorld(mujoco, mujoco.MjModel.from_xml_string(readFileSync(scenePath, 'utf8')));
    } catch (error) {
      throw new KitError(
        'E_SCENE',
        `MuJoCo can't load ${scenePath}: ${messageOf(error)}`,
        'mend the MJCF file, or name another one under `scene` in robot.json',
        'usage',
        { cause: error },
      );
    }
  }

  get #integration(): number {
    return this.#mujoco.mjtState.mjSTATE_INTEGRATION.value;
  }

  #take(): WorldViews {
    const data = this.#data;
    return {
      qpos: data.qpos,
      qvel: data.qvel,
      ctrl: data.ctrl,
      xfrcApplied: data.xfrc_applied,
      bodyXpos: data.xpos,
      siteXpos: data.site_xpos,
      qfrcConstraint: data.qfrc_constraint,
      qfrcBias: data.qfrc_bias,
      actuatorForce: data.actuator_force,
    };
  }

  get views(): WorldViews {
    if (this.#views.qpos.byteLength === 0) this.#views = this.#take();
    return this.#views;
  }

  /** One physics step. */
  step(): void {
    this.#mujoco.mj_step(this.model, this.#data);
  }

  /** Brings the places of bodies and sites up to qpos, which a step leaves one step behind. The future does not depend on it. */
  placed(): void {
    this.#mujoco.mj_kinematics(this.model, this.#data);
  }

  /** Computes everything that depends on qpos, qvel and ctrl, and lets no time go by. */
  forward(): void {
    this.#mujoco.mj_forward(this.model, this.#data);
  }

  /** Back to the model's own start. */
  reset(): void {
    this.#mujoco.mj_resetData(this.model, this.#data);
  }

  /** Recomputes what MuJoCo derives from masses; needed after changing them. The state is lost. */
  modelChanged(): void {
    this.#mujoco.mj_setConst(this.model, this.#data);
    this.reset();
  }

  /** Index of a named thing. @throws KitError E_SCENE_NAME */
  id(kind: 'joint' | 'body' | 'site' | 'actuator' | 'numeric', name: string): number {
    const { mjtObj } = this.#mujoco;
    const type = {
      joint: mjtObj.mjOBJ_JOINT,
      body: mjtObj.mjOBJ_BODY,
      site: mjtObj.mjOBJ_SITE,
      actuator: mjtObj.mjOBJ_ACTUATOR,
      numeric: mjtObj.mjOBJ_NUMERIC,
    }[kind];
    const id = this.#mujoco.mj_name2id(this.model, type.value, name);
    if (id < 0)
      throw new KitError(
        'E_SCENE_NAME',
        `the MJCF scene has no ${kind} named '${name}'`,
        'add it to the scene; joints and actuators are named as in robot.json',
        'usage',
      );
    return id;
  }

  /** Names of the geoms that touch, as of the last step or {@link forward}. */
  touching(): [string, string][] {
    const { contact } = this.#data;
    const name = (geom: number) => nameOf(this.model, this.model.name_geomadr, geom);
    try {
      return Array.from({ length: contact.size() }, (_, i) => {
        const found = contact.get(i)!;
        try {
          return [name(found.geom1), name(found.geom2)];
        } finally {
          found.delete();
        }
      });
    } finally {
      contact.delete();
    }
  }

  /** A number of the scene's `<custom>` part. @throws KitError E_SCENE_NAME, E_SCENE_NUMERIC */
  numeric(name: string): number {
    return this.numerics(name, 1)[0]!;
  }

  /** `count` numbers of the scene's `<custom>` part; one that stands there alone holds for all. @throws as {@link numeric} */
  numerics(name: string, count: number): Float64Array {
    const { numeric_adr, numeric_size, numeric_data } = this.model;
    const id = this.id('numeric', name);
    const at = numeric_adr[id]!;
    const size = numeric_size[id]!;
    if (size !== 1 && size !== count)
      throw new KitError(
        'E_SCENE_NUMERIC',
        `the MJCF scene has ${size} numbers for ${name}, and ${count} were asked for`,
        'give one number for all, or one for each joint in the order of robot.json',
        'usage',
      );
    return Float64Array.from({ length: count }, (_, i) => numeric_data[at + (size === 1 ? 0 : i)]!);
  }

  /** All that the future of the physics depends on, bit for bit. */
  save(): Float64Array {
    const buffer = new this.#mujoco.DoubleBuffer(this.#stateSize);
    try {
      this.#mujoco.mj_getState(this.model, this.#data, buffer, this.#integration);
      return Float64Array.from(buffer.GetView() as ArrayLike<number>);
    } finally {
      buffer.delete();
    }
  }

  load(state: ArrayLike<number>): void {
    this.#mujoco.mj_setState(this.model, this.#data, Array.from(state), this.#integration);
    this.placed();
  }

  dispose(): void {
    this.#data.delete();
    this.model.delete();
  }
}
