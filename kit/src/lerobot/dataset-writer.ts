/**
 * Writes a LeRobot dataset of version 3, frame by frame. What stands where was taken from LeRobot 0.4.4 (lerobot/datasets), whose
 * `LeRobotDataset` opens it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import {
  lerobotChunkFiles,
  lerobotDataPattern,
  lerobotFile,
  lerobotPaths,
  lerobotVersion,
} from '@sim2servo/models/lerobot-info';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { type TransitionRecord, transitionFields } from '@sim2servo/models/transition';
import { type ColumnStatistics, columnStatistics, joinedStatistics, statisticNames } from './column-statistics.js';
import { type Frame, type FrameColumn, frameColumns } from './frame-columns.js';
import { type Column, ParquetTable } from './parquet-table.js';

/** An episode that begins beyond this starts a new file; LeRobot's own measure. */
const usualFileMb = 100;

/** The index of a pandas table is a column that this names. */
const taskIndexName = '__index_level_0__';
const pandasMetadata = JSON.stringify({
  index_columns: [taskIndexName],
  column_indexes: [],
  columns: [
    { name: 'task_index', field_name: 'task_index', pandas_type: 'int64', numpy_type: 'int64', metadata: null },
    { name: null, field_name: taskIndexName, pandas_type: 'unicode', numpy_type: 'object', metadata: null },
  ],
});

function json(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, undefined, 4)}\n`);
}

export class DatasetWriter {
  readonly #folder: string;
  readonly #header: Readonly<Record<string, string>>;
  readonly #fps: number;
  readonly #sample: TransitionRecord;
  readonly #fileMb: number;
  readonly #columns: readonly FrameColumn[];
  readonly #measured: readonly { readonly column: FrameColumn; readonly at: number }[];
  readonly #episodes: ParquetTable;
  readonly #ofAll = new Map<string, ColumnStatistics>();
  /** By measured column and number, the values of the episode that is being written. */
  #values: number[][][];
  #data: ParquetTable | undefined;
  #files = 0;
  #frames = 0;
  #episodeFrom = 0;
  #episode = 0;
  #pending: TransitionRecord | undefined;

  /** @param sample any of the records to come */
  constructor(
    folder: string,
    spec: RobotSpec,
    header: Readonly<Record<string, string>>,
    sample: TransitionRecord,
    fileMb = usualFileMb,
  ) {
    this.#fileMb = fileMb;
    this.#folder = folder;
    this.#header = header;
    this.#fps = Number(header.controlRateHz);
    this.#sample = sample;
    this.#columns = frameColumns(spec, header.task!, this.#fps, sample);
    this.#measured = this.#columns.map((column, at) => ({ column, at })).filter(({ column }) => column.measured);
    this.#values = this.#noValues();
    this.#episodes = this.#table(join(lerobotPaths.episodes, lerobotFile(0).path), this.#episodeColumns());
  }

  get frames(): number {
    return this.#frames + (this.#pending === undefined ? 0 : 1);
  }

  get episodes(): number {
    return this.#episode;
  }

  /**
   * @param continues this is the tick after the last one, of the same episode
   * @throws KitError E_DATASET_SHAPE, E_DATASET_NUMBER
   */
  add(record: TransitionRecord, continues: boolean): void {
    for (const { name, repeated } of transitionFields)
      if (repeated && lengthOf(record[name]) !== lengthOf(this.#sample[name]))
        throw new KitError(
          'E_DATASET_SHAPE',
          `record ${this.frames} has ${lengthOf(record[name])} numbers in ${name}, the first one ${lengthOf(this.#sample[name])}`,
          'give logs that one version of the kit recorded',
          'usage',
        );
    this.#writePending(continues ? record : undefined);
    this.#pending = record;
  }

  /** Writes what is left and the metadata. */
  finish(): void {
    this.#writePending(undefined);
    this.#data?.finish();
    this.#episodes.finish();
    const { task, robot } = this.#header;
    const tasks = this.#table(
      lerobotPaths.tasks,
      [
        { name: 'task_index', dtype: 'int64', list: false },
        { name: taskIndexName, dtype: 'string', list: false },
      ],
      { pandas: pandasMetadata },
    );
    tasks.add([0, task!]);
    tasks.finish();
    json(join(this.#folder, lerobotPaths.statistics), Object.fromEntries(this.#ofAll));
    json(join(this.#folder, lerobotPaths.logHeader), { header: this.#header });
    json(join(this.#folder, lerobotPaths.info), {
      codebase_version: lerobotVersion,
      robot_type: robot,
      total_episodes: this.#episode,
      total_frames: this.#frames,
      total_tasks: 1,
      chunks_size: lerobotChunkFiles,
      data_files_size_in_mb: this.#fileMb,
      video_files_size_in_mb: this.#fileMb,
      fps: this.#fps,
      splits: { train: `0:${this.#episode}` },
      data_path: lerobotDataPattern,
      video_path: null,
      features: Object.fromEntries(
        this.#columns.map(({ name, dtype, size, names }) => [name, { dtype, shape: [size], names }]),
      ),
    });
  }

  /** @param next the frame after it in its episode; undefined ends the episode */
  #writePending(next: TransitionRecord | undefined): void {
    const record = this.#pending;
    if (record === undefined) return;
    this.#pending = undefined;
    this.#data ??= this.#table(join(lerobotPaths.data, lerobotFile(this.#files).path), this.#columns);
    const index = this.#frames;
    const frame: Frame = {
      record,
      next,
      episodeIndex: this.#episode,
      frameIndex: index - this.#episodeFrom,
      index,
    };
    const cells = this.#columns.map(column => column.cell(frame));
    for (const [i, { column, at }] of this.#measured.entries()) {
      const cell = cells[at]!;
      for (let k = 0; k < column.size; k++) {
        const value = Number(column.list ? (cell as ArrayLike<number>)[k] : cell);
        if (!Number.isFinite(value))
          throw new KitError(
            'E_DATASET_NUMBER',
            `record ${index} (episode ${record.episode}, step ${record.step}) has ${value} in ${column.name}`,
            'LeRobot normalises by statistics, which know numbers only: leave that log out',
          );
        this.#values[i]![k]!.push(value);
      }
    }
    this.#data.add(cells);
    this.#frames++;
    if (next === undefined) this.#endEpisode();
  }

  #endEpisode(): void {
    const of = this.#values.map(columnStatistics);
    for (const [i, { column }] of this.#measured.entries()) {
      const before = this.#ofAll.get(column.name);
      this.#ofAll.set(column.name, before === undefined ? of[i]! : joinedStatistics(before, of[i]!));
    }
    this.#values = this.#noValues();
    const file = lerobotFile(this.#files);
    const episodes = lerobotFile(0);
    this.#episodes.add([
      this.#episode,
      [this.#header.task!],
      this.#frames - this.#episodeFrom,
      file.chunkIndex,
      file.fileIndex,
      this.#episodeFrom,
      this.#frames,
      ...of.flatMap(statistics => statisticNames.map(name => statistics[name])),
      episodes.chunkIndex,
      episodes.fileIndex,
    ]);
    this.#episode++;
    this.#episodeFrom = this.#frames;
    if (this.#data!.bytes >= this.#fileMb * 2 ** 20) {
      this.#data!.finish();
      this.#data = undefined;
      this.#files++;
    }
  }

  #noValues(): number[][][] {
    return this.#measured.map(({ column }) => Array.from({ length: column.size }, () => []));
  }

  #table(path: string, columns: readonly Column[], metadata?: Readonly<Record<string, string>>): ParquetTable {
    const whole = join(this.#folder, path);
    mkdirSync(dirname(whole), { recursive: true });
    return new ParquetTable(whole, columns, metadata);
  }

  #episodeColumns(): Column[] {
    const scalar = (name: string): Column => ({ name, dtype: 'int64', list: false });
    return [
      scalar('episode_index'),
      { name: 'tasks', dtype: 'string', list: true },
      ...['length', 'data/chunk_index', 'data/file_index', 'dataset_from_index', 'dataset_to_index'].map(scalar),
      ...this.#measured.flatMap(({ column }) =>
        statisticNames.map(
          (name): Column => ({
            name: `stats/${column.name}/${name}`,
            dtype: name === 'count' ? 'int64' : 'float64',
            list: true,
          }),
        ),
      ),
      scalar('meta/episodes/chunk_index'),
      scalar('meta/episodes/file_index'),
    ];
  }
}

function lengthOf(list: TransitionRecord[keyof TransitionRecord]): number {
  return (list as ArrayLike<number>).length;
}
