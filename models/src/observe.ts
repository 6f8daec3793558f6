/** What the policy sees. The one definition: simulation, runtime, browser and log import call this. */
import type { ControlState } from './control-state.js';
import { alongFirstFrame, fingertip } from './kinematics.js';
import type { ObservationTerm, RobotSpec } from './robot-spec.js';

/** Distance at which `goalErrorFine` is at tanh(1): the precision that the fine term looks at. */
const fineM = 0.02;
/** Lag that the term `lag` shows as 1. */
const lagRad = 0.1;

const axes = ['x', 'y', 'z'] as const;

function namesOf(term: ObservationTerm, spec: RobotSpec): string[] {
  const joints = spec.joints.map(j => j.name);
  switch (term) {
    case 'position':
    case 'velocity':
    case 'lag':
      return joints.map(joint => `${term}.${joint}`);
    case 'goal':
    case 'goalError':
    case 'goalErrorFine':
    case 'goalErrorTurned':
    case 'goalErrorTurnedFine':
      return axes.map(axis => `${term}.${axis}`);
    case 'actions':
      return Array.from({ length: spec.actionHistory }, (_, back) =>
        joints.map(joint => `actions.${back}.${joint}`),
      ).flat();
  }
}

/** A name for each number of the observation, in order. */
export function observationNames(spec: RobotSpec): string[] {
  return spec.observation.flatMap(term => namesOf(term, spec));
}

export function observationSize(spec: RobotSpec): number {
  const n = spec.joints.length;
  let size = 0;
  for (const term of spec.observation)
    size += term === 'actions' ? n * spec.actionHistory : term.startsWith('goal') ? axes.length : n;
  return size;
}

const tip = new Float64Array(3);
const error = new Float64Array(3);
const turned = new Float64Array(3);

/**
 * Writes the observation of `state`.
 *
 * @param out [observationSize]
 */
export function observe(spec: RobotSpec, state: ControlState, out: Float32Array): void {
  fingertip(spec, state.position, tip);
  for (let i = 0; i < 3; i++) error[i] = state.goal[i]! - tip[i]!;
  let at = 0;
  for (const term of spec.observation) {
    switch (term) {
      case 'position':
        for (let j = 0; j < spec.joints.length; j++) {
          const low = spec.joints[j]!.range[0];
          const high = spec.joints[j]!.range[1];
          out[at++] = (2 * state.position[j]! - low - high) / (high - low);
        }
        break;
      case 'velocity':
        for (let j = 0; j < spec.joints.length; j++) out[at++] = state.velocity[j]! / spec.joints[j]!.maxVelocity;
        break;
      case 'lag':
        for (let j = 0; j < spec.joints.length; j++) out[at++] = (state.target[j]! - state.position[j]!) / lagRad;
        break;
      case 'goal':
        for (let i = 0; i < 3; i++) out[at++] = state.goal[i]! / spec.reachM;
        break;
      case 'goalError':
        for (let i = 0; i < 3; i++) out[at++] = error[i]! / spec.reachM;
        break;
      case 'goalErrorFine':
        for (let i = 0; i < 3; i++) out[at++] = Math.tanh(error[i]! / fineM);
        break;
      case 'goalErrorTurned':
        alongFirstFrame(spec, state.position, error, turned);
        for (let i = 0; i < 3; i++) out[at++] = turned[i]! / spec.reachM;
        break;
      case 'goalErrorTurnedFine':
        alongFirstFrame(spec, state.position, error, turned);
        for (let i = 0; i < 3; i++) out[at++] = Math.tanh(turned[i]! / fineM);
        break;
      case 'actions':
        out.set(state.actions, at);
        at += state.actions.length;
        break;
    }
  }
}
