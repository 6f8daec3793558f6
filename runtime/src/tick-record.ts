/** One tick as the loop hands it to a recorder: a transition, but for what is the same in a whole log. */
import { observationSize } from '@sim2servo/models/observe';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { TransitionRecord } from '@sim2servo/models/transition';

/** The loop fills the same record again and again. */
export interface TickRecord extends Omit<TransitionRecord, 'policyDigest'> {
  readonly observation: Float32Array;
  readonly actionRequested: Float32Array;
  readonly actionExecuted: Float32Array;
  readonly position: Float64Array;
  readonly velocity: Float64Array;
  readonly target: Float64Array;
  readonly goal: Float64Array;
}

/** Where ticks go. */
export interface TickSink {
  /** Copies the record. False: it was dropped, and counted. Never waits for the disk on a real clock. */
  record(tick: TickRecord): boolean;
  /** Why nothing can be recorded any more; undefined while all is well. */
  failure(): Error | undefined;
}

export interface RecordSizes {
  readonly observation: number;
  readonly joints: number;
}

export function recordSizes(spec: RobotSpec): RecordSizes {
  return { observation: observationSize(spec), joints: spec.joints.length };
}

export function createTickRecord({ observation, joints }: RecordSizes): TickRecord {
  return {
    timeS: 0,
    episode: 0,
    step: 0,
    observation: new Float32Array(observation),
    actionRequested: new Float32Array(joints),
    actionExecuted: new Float32Array(joints),
    position: new Float64Array(joints),
    velocity: new Float64Array(joints),
    target: new Float64Array(joints),
    goal: new Float64Array(3),
    limiters: 0,
    late: false,
    stale: false,
    terminated: false,
    truncated: false,
  };
}
