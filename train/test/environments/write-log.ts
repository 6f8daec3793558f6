/** Logs as the runtime writes them, from an arm in simulation that stands in for a real one: a policy with some exploration noise, in MCAP. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { McapWriter } from '@mcap/core';
import type { Random } from '@sim2servo/models/random';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { Task } from '@sim2servo/models/tasks/task';
import {
  encodeTransition,
  type TransitionRecord,
  transitionSchema,
  transitionTopic,
} from '@sim2servo/models/transition';
import type { RobotEnvironment } from '@sim2servo/sim/robot-environment';
import type { Policy } from '../../src/episodes.js';

export interface LoggingOptions {
  readonly spec: RobotSpec;
  readonly task: Task;
  readonly controlRateHz: number;
  readonly episodes: number;
  /** Standard deviation of what is added to the policy's actions. */
  readonly exploration: number;
  readonly random: Random;
}

/** Runs `policy` on `arm` and returns what a recorder would have seen. */
export async function recordEpisodes(
  arm: RobotEnvironment,
  policy: Policy,
  options: LoggingOptions,
): Promise<TransitionRecord[]> {
  const { spec, task, controlRateHz, random } = options;
  const records: TransitionRecord[] = [];
  const goal = new Float64Array(3);
  const action = new Float32Array(spec.joints.length);
  // The arm goes from goal to goal, as on a desk; only its first posture is set.
  let start: ArrayLike<number> = spec.joints.map(joint => joint.home);
  for (let episode = 0; episode < options.episodes; episode++) {
    task.sampleGoal(spec, random, goal);
    arm.resetTo(goal, start, random);
    for (let step = 0; !arm.truncated; step++) {
      const { position, velocity, target } = structuredClone(arm.control);
      const observation = arm.observation.slice();
      const chosen = await policy(observation);
      for (let j = 0; j < action.length; j++)
        action[j] = Math.max(-1, Math.min(1, chosen[j]! + options.exploration * random.normal()));
      arm.step(action);
      records.push({
        timeS: records.length / controlRateHz,
        episode,
        step,
        observation,
        actionRequested: action.slice(),
        actionExecuted: arm.executedAction.slice(),
        position,
        velocity,
        target,
        goal: goal.slice(),
        limiters: 0,
        late: false,
        stale: false,
        terminated: false,
        truncated: arm.truncated,
        policyDigest: '',
      });
    }
    start = arm.control.position.slice();
  }
  return records;
}

export async function writeLog(path: string, records: readonly TransitionRecord[]): Promise<void> {
  const file = openSync(path, 'w');
  let position = 0n;
  const writer = new McapWriter({
    writable: {
      async write(bytes) {
        position += BigInt(writeSync(file, bytes));
      },
      position: () => position,
    },
  });
  await writer.start({ profile: '', library: 'sim2servo test' });
  const schemaId = await writer.registerSchema(transitionSchema);
  const channelId = await writer.registerChannel({
    schemaId,
    topic: transitionTopic,
    messageEncoding: 'protobuf',
    metadata: new Map(),
  });
  for (const [sequence, record] of records.entries()) {
    const time = BigInt(Math.round(record.timeS * 1e9));
    await writer.addMessage({ channelId, sequence, logTime: time, publishTime: time, data: encodeTransition(record) });
  }
  await writer.end();
  closeSync(file);
}
