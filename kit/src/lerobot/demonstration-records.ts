/**
 * Transitions out of a dataset that LeRobot recorded. It knows measured positions and the positions that were asked for; the rest follows:
 * velocities and observations as the runtime would have formed them, actions as what those targets amount to, the goal as the point where
 * the fingertip was at the episode's end. Nothing of it went through a shield, so no limiter stands in it.
 */

import { createControlState, resetControlState } from '@sim2servo/models/control-state';
import { follow, sense } from '@sim2servo/models/control-step';
import { KitError } from '@sim2servo/models/error';
import { fingertip } from '@sim2servo/models/kinematics';
import { leRobotName } from '@sim2servo/models/lerobot-calibration';
import { observationSize, observe } from '@sim2servo/models/observe';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { TransitionRecord } from '@sim2servo/models/transition';
import { type Dataset, datasetRows } from './dataset-reader.js';
import { type JointUnit, positionsFromLerobot } from './joint-units.js';

const state = 'observation.state';
const action = 'action';
/** LeRobot's own columns of which frames are made. */
const frameColumns = [state, action, 'timestamp', 'frame_index', 'episode_index'];

/** Columns of which nothing is taken: images above all. */
export function columnsLeftOut({ columns, info }: Dataset): string[] {
  const taken = new Set([...frameColumns, 'index', 'task_index']);
  return [...new Set([...columns, ...Object.keys(info.features)])].filter(name => !taken.has(name));
}

interface DemonstrationFrame {
  readonly row: number;
  readonly position: readonly number[];
  readonly target: readonly number[];
}

/** Where each joint of the robot stands in a vector of the dataset. @throws KitError E_DATASET_JOINTS */
function placesOf(dataset: Dataset, column: string, spec: RobotSpec): number[] {
  const names = dataset.info.features[column]?.names ?? [];
  return spec.joints.map(joint => {
    const motor = leRobotName(joint.name);
    const at = names.findIndex(name => name === `${motor}.pos` || name === motor);
    if (at >= 0) return at;
    throw new KitError(
      'E_DATASET_JOINTS',
      `${dataset.folder}: ${column} has no '${motor}.pos', which ${spec.name} has as ${joint.name}: ${names.length === 0 ? 'it names nothing' : `it has ${names.join(', ')}`}`,
      'name the robot that the dataset is of: --robot',
      'usage',
    );
  });
}

/**
 * @param unit of the dataset's positions; it does not say so itself
 * @throws KitError E_DATASET_JOINTS, E_DATASET_NUMBER, E_DATASET_RATE, E_DATASET_READ
 */
export async function* demonstrationRecords(
  dataset: Dataset,
  spec: RobotSpec,
  unit: JointUnit,
): AsyncGenerator<TransitionRecord> {
  const { fps } = dataset.info;
  const places = { [state]: placesOf(dataset, state, spec), [action]: placesOf(dataset, action, spec) };
  let frames: DemonstrationFrame[] = [];
  let episode = -1;
  let row = 0;
  for await (const cells of datasetRows(dataset, name => frameColumns.includes(name))) {
    const fail = (code: string, what: string, hint: string) =>
      new KitError(code, `${dataset.folder}: row ${row}: ${what}`, hint, 'usage');
    const number = (column: string): number => {
      if (Number.isFinite(cells[column])) return cells[column] as number;
      throw fail('E_DATASET_NUMBER', `${column} is ${cells[column]}`, 'take that episode out: lerobot-edit-dataset');
    };
    const radians = (column: typeof state | typeof action): number[] => {
      const values = [cells[column]].flat();
      const picked = places[column].map(at => values[at]);
      if (picked.every(value => Number.isFinite(value))) return positionsFromLerobot(spec, picked as number[], unit);
      throw fail(
        'E_DATASET_NUMBER',
        `${column} is [${values.join(', ')}]`,
        'take that episode out: lerobot-edit-dataset',
      );
    };
    if (number('episode_index') !== episode) {
      yield* episodeRecords(spec, fps, episode, frames);
      frames = [];
      episode = number('episode_index');
    }
    const expectedS = frames.length / fps;
    if (number('frame_index') !== frames.length || Math.abs(number('timestamp') - expectedS) > 0.1 / fps)
      throw fail(
        'E_DATASET_RATE',
        `frame ${cells.frame_index} of episode ${episode} at ${cells.timestamp} s; at ${fps} frames a second frame ${frames.length} at ${expectedS} s was due`,
        'the frames must stand in order and evenly, fps a second: record or resample it so',
      );
    frames.push({ row, position: radians(state), target: radians(action) });
    row++;
  }
  yield* episodeRecords(spec, fps, episode, frames);
}

function* episodeRecords(
  spec: RobotSpec,
  fps: number,
  episode: number,
  frames: readonly DemonstrationFrame[],
): Generator<TransitionRecord> {
  const last = frames.at(-1);
  if (last === undefined) return;
  const dtS = 1 / fps;
  const control = createControlState(spec);
  const observation = new Float32Array(observationSize(spec));
  const executed = new Float32Array(spec.joints.length);
  fingertip(spec, last.position, control.goal);
  resetControlState(control, frames[0]!.position);
  for (const [step, { row, position, target }] of frames.entries()) {
    if (step > 0) sense(control, position, dtS);
    observe(spec, control, observation);
    const velocity = Array.from(control.velocity);
    follow(spec, control, target, dtS, executed);
    yield {
      // No clock on the wall was kept: it counts from the dataset's beginning.
      timeS: row / fps,
      episode,
      step,
      observation: Array.from(observation),
      actionRequested: Array.from(executed),
      actionExecuted: Array.from(executed),
      position,
      velocity,
      target,
      goal: Array.from(control.goal),
      limiters: 0,
      late: false,
      stale: false,
      terminated: false,
      truncated: frames[step + 1] === undefined,
      policyDigest: '',
    };
  }
}
