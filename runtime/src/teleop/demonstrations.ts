/**
 * Makes demonstrations of a raw recording: what was between the episodes and what was thrown away is left out, and each episode gets its goal.
 *
 * A person who moves an arm tells nobody where to. So the goal of a demonstration is where it ended: the fingertip, as it was measured at its
 * last tick (the `final` strategy of Andrychowicz et al. 2017, Hindsight Experience Replay, arXiv 1707.01495). Goal and all observation terms
 * that depend on it are written as if it had been known from the start; everything else is what was recorded.
 */
import { createControlState } from '@sim2servo/models/control-state';
import { KitError } from '@sim2servo/models/error';
import { fingertip } from '@sim2servo/models/kinematics';
import { observationNames, observe } from '@sim2servo/models/observe';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { Task } from '@sim2servo/models/tasks/task';
import { readLog } from '../log-reader.js';
import { rewriteLog } from '../rewrite-log.js';

/** @throws KitError E_RECORD_TASK where the goal moves: then where a demonstration ended says nothing */
export function checkDemonstrable(task: Task): void {
  if (task.goalAt === undefined) return;
  throw new KitError(
    'E_RECORD_TASK',
    `the goal of task '${task.name}' moves, and a demonstration only says where it ended`,
    'record with --task reach or hold',
    'usage',
  );
}

/** The episodes of a raw recording that came to their end, for one whose process did not. */
export function endedEpisodes(raw: string): number[] {
  const ended = new Set<number>();
  readLog(raw, {
    record: ({ episode, truncated }) => {
      if (truncated && episode > 0) ended.add(episode);
    },
  });
  return [...ended];
}

export interface Demonstrations {
  readonly path: string;
  readonly episodes: number;
  readonly records: number;
}

/**
 * @param raw  log of the whole recording
 * @param out  log to write: the kept episodes, numbered from 1
 * @param kept numbers of the episodes in `raw`
 * @throws KitError E_LOG_READ, E_LOG_FORMAT, E_LOG_WRITE
 */
export function writeDemonstrations(
  raw: string,
  out: string,
  spec: RobotSpec,
  kept: readonly number[],
): Demonstrations {
  const ends = new Map<number, { readonly number: number; readonly step: number; readonly goal: Float64Array }>();
  readLog(raw, {
    record: ({ episode, step, position }) => {
      const number = kept.indexOf(episode) + 1;
      if (number === 0) return;
      const goal = new Float64Array(3);
      fingertip(spec, position, goal);
      ends.set(episode, { number, step, goal });
    },
  });
  const ofGoal = observationNames(spec).map(name => name.startsWith('goal'));
  const state = createControlState(spec);
  const seen = new Float32Array(ofGoal.length);
  let records = 0;
  rewriteLog(
    raw,
    out,
    record => {
      const end = ends.get(record.episode);
      if (end === undefined) return undefined;
      records++;
      state.position.set(record.position);
      state.goal.set(end.goal);
      observe(spec, state, seen);
      const observation = Float32Array.from(record.observation, (value, i) => (ofGoal[i] ? seen[i]! : value));
      return {
        ...record,
        episode: end.number,
        observation,
        goal: end.goal.slice(),
        truncated: record.step === end.step,
      };
    },
    old => new Map([...old, ['goals', 'where the fingertip was at the end of each episode']]),
  );
  return { path: out, episodes: ends.size, records };
}
