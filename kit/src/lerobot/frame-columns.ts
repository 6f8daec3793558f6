/**
 * The columns of a dataset's frames: LeRobot's own, in its names and units, which its tools understand; and under `transition.` the
 * logged record as it is, from which the log can be had back bit for bit. Policies of LeRobot take in only what begins with
 * `observation` or `action`. docs/datasets.md has the table.
 */
import { leRobotName } from '@sim2servo/models/lerobot-calibration';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { taskNamed, taskNames } from '@sim2servo/models/tasks/task-named';
import { type TransitionField, type TransitionRecord, transitionFields } from '@sim2servo/models/transition';
import { positionsToLerobot, velocitiesToLerobot } from './joint-units.js';
import type { Cell, Column, Dtype } from './parquet-table.js';

export interface Frame {
  readonly record: TransitionRecord;
  /** The one that follows in the dataset's episode; absent: it ends here. */
  readonly next: TransitionRecord | undefined;
  readonly episodeIndex: number;
  readonly frameIndex: number;
  readonly index: number;
}

export interface FrameColumn extends Column {
  /** Numbers in a row. */
  readonly size: number;
  readonly names: readonly string[] | null;
  /** LeRobot wants statistics of it. */
  readonly measured: boolean;
  cell(frame: Frame): Cell;
}

const dtypes: Readonly<Record<TransitionField['type'], Dtype>> = {
  double: 'float64',
  float: 'float32',
  uint32: 'int64',
  bool: 'bool',
  string: 'string',
};

/** `actionRequested` → `transition.action_requested` */
export function transitionColumn(field: TransitionField): string {
  return `transition.${field.name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)}`;
}

/** LeRobot holds a list of one number as that number. */
const isList = (size: number) => size !== 1;

/**
 * @param task   as the log names it; only of one of ours are the rewards known
 * @param sample any record of the log: it says how many numbers there are
 */
export function frameColumns(spec: RobotSpec, task: string, fps: number, sample: TransitionRecord): FrameColumn[] {
  const vector = (
    name: string,
    dtype: Dtype,
    names: readonly string[],
    numbers: (frame: Frame) => ArrayLike<number>,
  ): FrameColumn => {
    const list = isList(names.length);
    return {
      name,
      dtype,
      list,
      size: names.length,
      names,
      measured: true,
      cell: frame => (list ? numbers(frame) : numbers(frame)[0]!),
    };
  };
  const scalar = (name: string, dtype: Dtype, cell: (frame: Frame) => number | boolean): FrameColumn => ({
    name,
    dtype,
    list: false,
    size: 1,
    names: null,
    measured: true,
    cell,
  });
  const joints = (suffix: string) => spec.joints.map(joint => `${leRobotName(joint.name)}.${suffix}`);
  const known = taskNames.includes(task) ? taskNamed(task) : undefined;
  return [
    vector('observation.state', 'float32', joints('pos'), ({ record }) =>
      positionsToLerobot(spec, record.position, 'degrees'),
    ),
    vector('observation.velocity', 'float32', joints('vel'), ({ record }) =>
      velocitiesToLerobot(spec, record.velocity, 'degrees'),
    ),
    vector('observation.environment_state', 'float32', ['goal.x', 'goal.y', 'goal.z'], ({ record }) => record.goal),
    vector('action', 'float32', joints('pos'), ({ record }) => positionsToLerobot(spec, record.target, 'degrees')),
    ...(known === undefined
      ? []
      : [
          // Of an episode's last frame no log has the next: the arm is taken to stay, as LeRobot's own replay takes it.
          scalar('next.reward', 'float32', ({ record, next = record }) =>
            known.reward(spec, record, record.actionExecuted, next, record.goal),
          ),
        ]),
    scalar('next.done', 'bool', ({ next }) => next === undefined),
    scalar('next.truncated', 'bool', ({ record, next }) => next === undefined && !record.terminated),
    scalar('timestamp', 'float32', ({ frameIndex }) => frameIndex / fps),
    scalar('frame_index', 'int64', ({ frameIndex }) => frameIndex),
    scalar('episode_index', 'int64', ({ episodeIndex }) => episodeIndex),
    scalar('index', 'int64', ({ index }) => index),
    scalar('task_index', 'int64', () => 0),
    ...transitionFields.flatMap(field => recordColumn(field, sample)),
  ];
}

/** A list that is empty in a log has no column. */
function recordColumn(field: TransitionField, sample: TransitionRecord): FrameColumn[] {
  const { name: key, type, repeated } = field;
  const size = repeated ? (sample[key] as ArrayLike<number>).length : 1;
  if (size === 0) return [];
  const list = isList(size);
  return [
    {
      name: transitionColumn(field),
      dtype: dtypes[type],
      list,
      size,
      names: null,
      measured: false,
      cell: ({ record }) => (repeated && !list ? (record[key] as ArrayLike<number>)[0]! : record[key]),
    },
  ];
}

/** The record that {@link frameColumns} put into a row. Its columns are there: see {@link recordColumns}. */
export function recordOf(row: Readonly<Record<string, unknown>>): TransitionRecord {
  return Object.fromEntries(
    transitionFields.map(field => {
      const cell = row[transitionColumn(field)];
      if (!field.repeated) return [field.name, cell];
      return [field.name, cell === undefined ? [] : Array.isArray(cell) ? cell : [cell]];
    }),
  ) as unknown as TransitionRecord;
}

/** Columns without which a row holds no record. */
export const recordColumns = transitionFields.filter(({ repeated }) => !repeated).map(transitionColumn);
