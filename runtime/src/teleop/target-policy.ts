/**
 * What drives an arm without a network (a leader, keys, a gamepad, a log) as a policy of the one control loop: it aims at joint angles, and
 * the action is whatever asks for them. So shield, arming, deadlines, stops and recorder are those of every run.
 */
import { toAction } from '@sim2servo/models/action';
import { type ControlState, createControlState } from '@sim2servo/models/control-state';
import { observationSize } from '@sim2servo/models/observe';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { Policy } from '../policy-session.js';

export interface TargetSource {
  /** Just before the deadline of a tick: begins what takes a while. Never waits. */
  prepare?(): void;
  /**
   * Where the joints shall be at the end of this tick. Not called on a tick without a fresh sample: then the arm is told to stay.
   *
   * @param targets [joints] rad, written; what is not finite is refused by the shield like any policy's
   * @throws whatever shall end the run: the arm is told to hold
   */
  aim(state: Readonly<ControlState>, dtS: number, targets: Float64Array): void;
  /** What it is at, in a few words. */
  words(): string;
}

export function targetPolicy(spec: RobotSpec, controlRateHz: number, source: TargetSource): Policy {
  const targets = new Float64Array(spec.joints.length);
  const action = new Float32Array(spec.joints.length);
  const dtS = 1 / controlRateHz;
  let state: Readonly<ControlState> = createControlState(spec);
  return {
    observation: new Float32Array(observationSize(spec)),
    action,
    attach(loopState) {
      state = loopState;
    },
    rehearse: () => source.prepare?.(),
    infer() {
      targets.set(state.target);
      source.aim(state, dtS, targets);
      toAction(spec, targets, state, dtS, action);
    },
  };
}
