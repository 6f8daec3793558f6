/** The loop on the virtual board, with a policy that is a plain function. */

import { observationSize } from '@sim2servo/models/observe';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { ControlLoop, type LoopOptions } from '../../src/control-loop.js';
import { listedGoals } from '../../src/goal-source.js';
import type { Policy } from '../../src/policy-session.js';
import type { TickRecord, TickSink } from '../../src/tick-record.js';
import { type BoardOptions, VirtualBoard, VirtualClock } from './virtual-board.js';

export const robot = loadRobot('desk2');
export const task = taskNamed('reach');
export const goal = Float64Array.of(0.15, 0.08, 0.06);

export function functionPolicy(act: (observation: Float32Array, action: Float32Array) => void): Policy {
  const observation = new Float32Array(observationSize(robot.spec));
  const action = new Float32Array(robot.spec.joints.length);
  return { observation, action, infer: () => act(observation, action), rehearse: () => {} };
}

/** Keeps copies of all ticks. */
export class MemorySink implements TickSink {
  readonly ticks: TickRecord[] = [];
  broken: Error | undefined;
  full: (index: number) => boolean = () => false;
  #offered = 0;

  record(tick: TickRecord): boolean {
    if (this.full(this.#offered++)) return false;
    this.ticks.push(structuredClone(tick));
    return true;
  }

  failure(): Error | undefined {
    return this.broken;
  }
}

export interface Fixture {
  readonly clock: VirtualClock;
  readonly board: VirtualBoard;
  readonly sink: MemorySink;
  readonly loop: ControlLoop;
}

export function fixture(
  act: (observation: Float32Array, action: Float32Array, clock: VirtualClock) => void,
  changes: Partial<LoopOptions> = {},
  board: Partial<BoardOptions> = {},
): Fixture {
  const clock = new VirtualClock();
  const virtualBoard = new VirtualBoard(clock, { position: [0.3, 1.4], ...board });
  const sink = new MemorySink();
  const loop = new ControlLoop({
    spec: robot.spec,
    task,
    controlRateHz: 50,
    motion: virtualBoard,
    clock,
    policy: functionPolicy((observation, action) => act(observation, action, clock)),
    goals: listedGoals([goal, goal], 100),
    recorder: sink,
    ...changes,
  });
  return { clock, board: virtualBoard, sink, loop };
}
