/**
 * Pendulum-v1: swing a rod up and keep it there, with a motor too weak to lift it at once. No MuJoCo: Gymnasium's own semi-implicit Euler
 * step of a rod of 1 m and 1 kg (https://gymnasium.farama.org/environments/classic_control/pendulum/).
 */
import { KitError } from '@sim2servo/models/error';
import type { Random } from '@sim2servo/models/random';
import type { EnvironmentState } from '../environment.js';
import type { GymEnvironment } from './gym-environment.js';

const dtS = 0.05;
const gravityMPerS2 = 10;
const maxTorqueNm = 2;
const maxSpeedRadPerS = 8;
export const pendulumEpisodeSteps = 200;

interface PendulumState {
  readonly angleRad: number;
  readonly speedRadPerS: number;
  readonly steps: number;
  readonly executedAction: number;
}

export class Pendulum implements GymEnvironment {
  readonly observationSize = 3;
  readonly actionSize = 1;
  readonly observation = new Float32Array(3);
  readonly exactObservation = new Float64Array(3);
  readonly executedAction = new Float32Array(1);
  readonly terminated = false;
  readonly error = Number.NaN;
  truncated = false;
  /** 0 is upright; it counts turns. */
  #angleRad = 0;
  #speedRadPerS = 0;
  #steps = 0;

  reset(random: Random): void {
    this.#begin(random.uniform(-Math.PI, Math.PI), random.uniform(-1, 1));
  }

  resetTo(qpos: ArrayLike<number>, qvel: ArrayLike<number>): void {
    if (qpos.length !== 1 || qvel.length !== 1)
      throw new KitError(
        'E_EPISODE',
        `Pendulum-v1 has 1 position and 1 velocity, not ${qpos.length} and ${qvel.length}`,
        'give as many',
        'bug',
      );
    this.#begin(qpos[0]!, qvel[0]!);
  }

  #begin(angleRad: number, speedRadPerS: number): void {
    this.#angleRad = angleRad;
    this.#speedRadPerS = speedRadPerS;
    this.#steps = 0;
    this.truncated = false;
    this.executedAction[0] = 0;
    this.#observe();
  }

  /** The reward is of the state before the step. */
  step(action: ArrayLike<number>): number {
    const clipped = Math.max(-1, Math.min(1, action[0]!));
    const torqueNm = clipped * maxTorqueNm;
    const cost = wrapped(this.#angleRad) ** 2 + 0.1 * this.#speedRadPerS ** 2 + 0.001 * torqueNm ** 2;
    const accelerationRadPerS2 = 1.5 * gravityMPerS2 * Math.sin(this.#angleRad) + 3 * torqueNm;
    const speed = this.#speedRadPerS + accelerationRadPerS2 * dtS;
    this.#speedRadPerS = Math.max(-maxSpeedRadPerS, Math.min(maxSpeedRadPerS, speed));
    this.#angleRad += this.#speedRadPerS * dtS;
    this.truncated = ++this.#steps >= pendulumEpisodeSteps;
    this.executedAction[0] = clipped;
    this.#observe();
    return -cost;
  }

  #observe(): void {
    this.exactObservation[0] = Math.cos(this.#angleRad);
    this.exactObservation[1] = Math.sin(this.#angleRad);
    this.exactObservation[2] = this.#speedRadPerS;
    this.observation.set(this.exactObservation);
  }

  save(): PendulumState {
    return {
      angleRad: this.#angleRad,
      speedRadPerS: this.#speedRadPerS,
      steps: this.#steps,
      executedAction: this.executedAction[0]!,
    };
  }

  load(state: EnvironmentState): void {
    const saved = state as PendulumState;
    this.#begin(saved.angleRad, saved.speedRadPerS);
    this.#steps = saved.steps;
    this.truncated = saved.steps >= pendulumEpisodeSteps;
    this.executedAction[0] = saved.executedAction;
  }

  dispose(): void {}
}

/** The same angle in [−π, π). */
function wrapped(angleRad: number): number {
  const turn = 2 * Math.PI;
  const shifted = (angleRad + Math.PI) % turn;
  return (shifted < 0 ? shifted + turn : shifted) - Math.PI;
}
