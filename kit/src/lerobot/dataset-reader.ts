/** A LeRobot dataset on disk: what its metadata say, and its rows in order. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { KitError, messageOf } from '@sim2servo/models/error';
import { readJsonFile } from '@sim2servo/models/json-file';
import {
  type LerobotInfo,
  lerobotInfoSchema,
  lerobotLogHeaderSchema,
  lerobotPaths,
  lerobotVersion,
} from '@sim2servo/models/lerobot-info';
import { columnNames, type TableRow, tableRows } from './parquet-table.js';

export interface Dataset {
  readonly folder: string;
  readonly info: LerobotInfo;
  /** Of the log that it was made of; undefined where it was not made of one, or other tools have edited it since. */
  readonly header: Readonly<Record<string, string>> | undefined;
  readonly columns: readonly string[];
  /** What its frames are about, in words: the first of its tasks. */
  readonly task: string;
  readonly files: readonly string[];
}

const majorOf = (version: string) => version.split('.')[0];

function isNone(folder: string, why: string): KitError {
  return new KitError(
    'E_DATASET_READ',
    `${folder} is no LeRobot dataset: ${why}`,
    'name the folder that holds meta/ and data/',
    'usage',
  );
}

/** @throws KitError E_DATASET_READ, E_DATASET_VERSION, E_FILE_JSON, E_FILE_SCHEMA */
export async function openDataset(folder: string): Promise<Dataset> {
  const infoPath = join(folder, lerobotPaths.info);
  if (!existsSync(infoPath)) throw isNone(folder, `${infoPath} does not exist`);
  const info = readJsonFile(infoPath, lerobotInfoSchema, 'dataset');
  // As LeRobot has it: what a later 3.x adds can be passed over.
  if (majorOf(info.codebase_version) !== majorOf(lerobotVersion))
    throw new KitError(
      'E_DATASET_VERSION',
      `${folder} is of LeRobot's version ${info.codebase_version}, not ${lerobotVersion}`,
      'bring it up to date with LeRobot: python -m lerobot.datasets.v30.convert_dataset_v21_to_v30 --repo-id=NAME',
      'usage',
    );
  const data = join(folder, lerobotPaths.data);
  if (!existsSync(data)) throw isNone(folder, `${data} does not exist`);
  const files = (readdirSync(data, { recursive: true }) as string[])
    .filter(name => name.endsWith('.parquet'))
    .sort()
    .map(name => join(data, name));
  if (files.length === 0) throw isNone(folder, `${data} holds no .parquet file`);
  const headerPath = join(folder, lerobotPaths.logHeader);
  return {
    folder,
    info,
    header: existsSync(headerPath) ? readJsonFile(headerPath, lerobotLogHeaderSchema, 'log header').header : undefined,
    columns: await readable(files[0]!, () => columnNames(files[0]!)),
    task: await firstTask(join(folder, lerobotPaths.tasks)),
    files,
  };
}

/** The task stands in the column that is not its number: whatever pandas named its index. */
async function firstTask(path: string): Promise<string> {
  return readable(path, async () => {
    for await (const row of tableRows(path, () => true)) {
      const words = Object.entries(row).find(([name, cell]) => name !== 'task_index' && typeof cell === 'string');
      if (words !== undefined) return words[1] as string;
    }
    throw new Error('it names no task');
  });
}

/** The rows of all files, with those of the columns that are `wanted`. @throws KitError E_DATASET_READ */
export async function* datasetRows({ files }: Dataset, wanted: (column: string) => boolean): AsyncGenerator<TableRow> {
  for (const path of files) {
    const rows = tableRows(path, wanted);
    for (;;) {
      const { value, done } = await readable(path, () => rows.next());
      if (done) break;
      yield value;
    }
  }
}

async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new KitError(
      'E_DATASET_READ',
      `can't read ${path}: ${messageOf(error)}`,
      'fetch the dataset anew; files compressed otherwise than by snappy are not read',
      'failed',
      { cause: error },
    );
  }
}
