/** A LeRobot dataset into a log: what was made of logs comes back bit for bit, demonstrations of LeRobot's as far as they say. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '@sim2servo/models/durable-file';
import { KitError, messageOf } from '@sim2servo/models/error';
import { type LoadedRobot, loadRobot } from '@sim2servo/models/robot-folder';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { TransitionRecord } from '@sim2servo/models/transition';
import { createLogFile } from '@sim2servo/runtime/log-file';
import { type LogHeader, LogWriter } from '@sim2servo/runtime/log-writer';
import { type Dataset, datasetRows, openDataset } from './dataset-reader.js';
import { columnsLeftOut, demonstrationRecords } from './demonstration-records.js';
import { recordColumns, recordOf } from './frame-columns.js';
import { type JointUnit, jointUnits } from './joint-units.js';
import { breathe, type ConversionOptions } from './logs-to-dataset.js';
import { recordedRobot } from './recorded-robot.js';

export interface LogOptions extends ConversionOptions {
  /** Of the positions in a dataset of LeRobot's making. */
  readonly units?: JointUnit | undefined;
}

export interface WrittenLog {
  readonly out: string;
  readonly records: number;
  readonly episodes: number;
  /** Records as they were logged, or made of a demonstration. */
  readonly source: 'log' | 'demonstration';
  readonly columnsLeftOut: readonly string[];
  /** Frames of a demonstration whose target lies outside the range of a joint. */
  readonly outsideRange: number;
}

const recordsPerChunk = 1000;

/**
 * @param out a file that does not exist yet; on failure there is none
 * @throws KitError E_DATASET_READ, E_DATASET_VERSION, E_DATASET_ROBOT, E_DATASET_UNITS, E_DATASET_JOINTS, E_DATASET_RATE,
 *         E_DATASET_NUMBER, E_LOG_EXISTS, E_LOG_WRITE, E_INTERRUPTED
 */
export async function datasetToLog(folder: string, out: string, options: LogOptions = {}): Promise<WrittenLog> {
  if (existsSync(out))
    throw new KitError('E_LOG_EXISTS', `${out} exists already`, 'name another file with --out', 'usage');
  const dataset = await openDataset(folder);
  const logged = recordColumns.every(name => dataset.columns.includes(name));
  const robot = robotOf(dataset, options.robot);
  const source = logged
    ? loggedRecords(dataset, robot.spec)
    : demonstrationRecords(dataset, robot.spec, unitsOf(dataset, options));
  const draft = `${out}.${process.pid}.part`;
  let writer: LogWriter | undefined;
  let records = 0;
  let episodes = 0;
  let outsideRange = 0;
  try {
    let before: TransitionRecord | undefined;
    for await (const record of source) {
      writer ??= new LogWriter(createLogFile(draft), headerOf(dataset, robot, record));
      writer.add(record);
      if (before?.episode !== record.episode) episodes++;
      if (!logged && robot.spec.joints.some(({ range }, j) => outside(record.target[j]!, range))) outsideRange++;
      before = record;
      if (++records % recordsPerChunk === 0) writer.closeChunk();
      await breathe(records, options);
    }
    if (writer === undefined)
      throw new KitError('E_DATASET_EMPTY', `${folder} has no frames`, 'record some with LeRobot', 'usage');
    writer.finish();
    renameSync(draft, out);
    syncFolder(dirname(out));
  } catch (error) {
    // Even a forced `rmSync` throws where a folder of the path is a file.
    if (existsSync(draft)) rmSync(draft);
    if (error instanceof KitError) throw error;
    throw new KitError(
      'E_LOG_WRITE',
      `can't write ${out}: ${messageOf(error)}`,
      'free some space, or name another file with --out',
      'failed',
      { cause: error },
    );
  }
  return {
    out,
    records,
    episodes,
    source: logged ? 'log' : 'demonstration',
    columnsLeftOut: logged ? [] : columnsLeftOut(dataset),
    outsideRange,
  };
}

const outside = (value: number, [low, high]: readonly [number, number]) => value < low || value > high;

/** @throws KitError E_DATASET_JOINTS where another robot was named than the one that was recorded */
async function* loggedRecords(dataset: Dataset, { joints, name }: RobotSpec): AsyncGenerator<TransitionRecord> {
  for await (const row of datasetRows(dataset, column => column.startsWith('transition.'))) {
    const record = recordOf(row);
    if (record.position.length !== joints.length)
      throw new KitError(
        'E_DATASET_JOINTS',
        `${dataset.folder} is of ${record.position.length} joints, ${name} has ${joints.length}`,
        'name the robot that the dataset is of: --robot',
        'usage',
      );
    yield record;
  }
}

function robotOf({ folder, header, info }: Dataset, given: string | undefined): LoadedRobot {
  if (header === undefined) {
    if (given !== undefined) return loadRobot(given);
    throw new KitError(
      'E_DATASET_ROBOT',
      `${folder} was recorded on '${info.robot_type ?? 'an unnamed robot'}', and nothing says which of the kit's robots that is`,
      'name it: --robot so101',
      'usage',
    );
  }
  if (Number(header.controlRateHz) !== info.fps)
    throw new KitError(
      'E_DATASET_RATE',
      `${folder} has ${info.fps} frames a second, and was made of a log with ${header.controlRateHz} ticks a second`,
      'mend fps in meta/info.json, or convert the log anew',
      'usage',
    );
  return recordedRobot(folder, header, given);
}

function unitsOf({ folder }: Dataset, { units }: LogOptions): JointUnit {
  if (units !== undefined) return units;
  throw new KitError(
    'E_DATASET_UNITS',
    `${folder} does not say whether its positions are degrees or −100 to 100`,
    `say it: --units ${jointUnits.join('|')} (LeRobot's robots record degrees where use_degrees is set)`,
    'usage',
  );
}

function headerOf(
  { header, info, task }: Dataset,
  { spec, specSha256 }: LoadedRobot,
  { policyDigest }: TransitionRecord,
): ReadonlyMap<string, string> {
  const made: LogHeader = { robot: spec.name, specSha256, policyDigest, task, controlRateHz: info.fps };
  return new Map(Object.entries(header ?? made).map(([key, value]) => [key, String(value)]));
}
