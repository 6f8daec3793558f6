/** Logs of one robot and one task into a LeRobot dataset. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { KitError, messageOf } from '@sim2servo/models/error';
import type { TransitionRecord } from '@sim2servo/models/transition';
import { logItems } from '@sim2servo/runtime/log-reader';
import { DatasetWriter } from './dataset-writer.js';
import { recordedRobot } from './recorded-robot.js';

export interface ConversionOptions {
  /** Name or folder; absent: the robot that the source names. */
  readonly robot?: string | undefined;
  readonly onProgress?: (frames: number) => void;
  readonly signal?: AbortSignal;
}

export interface WrittenDataset {
  readonly out: string;
  readonly robot: string;
  readonly frames: number;
  readonly episodes: number;
  /** Places at which a tick was lost: an episode of the log goes on there as another of the dataset. */
  readonly gaps: number;
  /** Logs that end in the middle, and what is wrong with them; all that their whole chunks hold is taken. */
  readonly cutOff: readonly { readonly log: string; readonly lostBytes: number; readonly damage: string }[];
}

const turnEvery = 4096;

/** Lets a signal come through, now and again. @throws KitError E_INTERRUPTED */
export async function breathe(frames: number, { signal, onProgress }: ConversionOptions): Promise<void> {
  if (frames % turnEvery !== 0) return;
  onProgress?.(frames);
  await eventLoopTurn();
  if (signal?.aborted)
    throw new KitError('E_INTERRUPTED', 'interrupted; nothing was written', 'run it again', 'interrupt');
}

/** The header of a log, which stands before its first chunk. */
function headerOf(log: string): Readonly<Record<string, string>> {
  for (const item of logItems(log)) {
    if (item.kind === 'metadata') return Object.fromEntries(item.metadata);
    if (item.kind !== 'end') break;
  }
  throw new KitError(
    'E_LOG_HEADER',
    `${log} does not say what robot it is of`,
    'name a log that the kit wrote',
    'usage',
  );
}

/** What logs of one dataset have in common; the policy may differ, each record names its own. */
const common = ['robot', 'specSha256', 'task', 'controlRateHz'] as const;

function commonHeader(logs: readonly string[]): Readonly<Record<string, string>> {
  const [first, ...others] = logs.map(log => ({ log, header: headerOf(log) }));
  for (const { log, header } of others)
    for (const key of common)
      if (header[key] !== first!.header[key])
        throw new KitError(
          'E_DATASET_LOGS',
          `${log} has ${key} ${header[key]}, ${first!.log} has ${first!.header[key]}`,
          'a dataset is of one robot, one task and one rate: convert them into one each',
          'usage',
        );
  return first!.header;
}

/**
 * @param out a folder that does not exist yet; on failure there is none
 * @throws KitError E_LOG_READ, E_LOG_FORMAT, E_LOG_HEADER, E_DATASET_LOGS, E_DATASET_ROBOT, E_DATASET_RATE, E_DATASET_EMPTY,
 *         E_DATASET_EXISTS, E_DATASET_WRITE, E_INTERRUPTED
 */
export async function logsToDataset(
  logs: readonly string[],
  out: string,
  options: ConversionOptions = {},
): Promise<WrittenDataset> {
  if (existsSync(out))
    throw new KitError('E_DATASET_EXISTS', `${out} exists already`, 'name another folder with --out', 'usage');
  const header = commonHeader(logs);
  const robot = recordedRobot(logs[0]!, header, options.robot);
  if (!Number.isInteger(Number(header.controlRateHz)))
    throw new KitError(
      'E_DATASET_RATE',
      `${logs[0]} has ${header.controlRateHz} ticks a second, and LeRobot's fps is a whole number`,
      'write a table instead: --to csv',
      'usage',
    );
  // `out` may end with a slash.
  const draft = `${resolve(out)}.${process.pid}.part`;
  try {
    mkdirSync(draft, { recursive: true });
    let writer: DatasetWriter | undefined;
    const { gaps, cutOff } = await eachRecord(logs, options, (record, continues) => {
      writer ??= new DatasetWriter(draft, robot.spec, header, record);
      writer.add(record, continues);
    });
    if (writer === undefined)
      throw new KitError('E_DATASET_EMPTY', `${logs.join(', ')}: no whole record`, 'record some with kit run', 'usage');
    writer.finish();
    renameSync(draft, out);
    return { out, robot: robot.spec.name, frames: writer.frames, episodes: writer.episodes, gaps, cutOff };
  } catch (error) {
    // Even a forced `rmSync` throws where a folder of the path is a file.
    if (existsSync(draft)) rmSync(draft, { recursive: true });
    if (error instanceof KitError) throw error;
    throw new KitError(
      'E_DATASET_WRITE',
      `can't write ${out}: ${messageOf(error)}`,
      'free some space, or name another folder with --out',
      'failed',
      { cause: error },
    );
  }
}

/** Hands over the records of all logs. The episodes of a log go on counting where those of the one before ended. */
async function eachRecord(
  logs: readonly string[],
  options: ConversionOptions,
  take: (record: TransitionRecord, continues: boolean) => void,
): Promise<Pick<WrittenDataset, 'gaps' | 'cutOff'>> {
  const cutOff: { log: string; lostBytes: number; damage: string }[] = [];
  let gaps = 0;
  let frames = 0;
  let lastEpisode: number | undefined;
  for (const log of logs) {
    let shift: number | undefined;
    let before: TransitionRecord | undefined;
    for (const item of logItems(log)) {
      if (item.kind === 'end' && !item.scan.complete)
        cutOff.push({ log, lostBytes: item.scan.lostBytes, damage: item.scan.damage });
      if (item.kind !== 'record') continue;
      const { record } = item;
      shift ??= lastEpisode === undefined ? 0 : lastEpisode + 1 - record.episode;
      record.episode += shift;
      const same = before?.episode === record.episode;
      const continues = same && record.step === before!.step + 1;
      if (same && !continues) gaps++;
      take(record, continues);
      before = record;
      lastEpisode = record.episode;
      await breathe(++frames, options);
    }
  }
  return { gaps, cutOff };
}
