/** What can be done with a log besides learning from it: look at it, mend it, turn it into a table. */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { KitError, messageOf } from '@sim2servo/models/error';
import { type Limiter, limiterNames, limiters } from '@sim2servo/models/shield';
import type { TransitionRecord } from '@sim2servo/models/transition';
import { type LogScan, readLog } from './log-reader.js';
import { refuseExisting, rewriteLog } from './rewrite-log.js';

export interface LogInfo extends LogScan {
  readonly path: string;
  /** Robot, spec digest, policy digest, task, control rate, as the log names them. */
  readonly header: Readonly<Record<string, string>>;
  /** Digests of the policies that drove, in the order in which they came: more than one where another took over. */
  readonly policies: readonly string[];
  readonly episodes: number;
  readonly startedAt: string | undefined;
  readonly seconds: number;
  /** Ticks that are missing inside episodes. */
  readonly missing: number;
  readonly late: number;
  readonly stale: number;
  readonly limiterTicks: Readonly<Record<Limiter, number>>;
}

/** @throws KitError E_LOG_READ, E_LOG_FORMAT */
export function logInfo(path: string): LogInfo {
  let header: Record<string, string> = {};
  let first: TransitionRecord | undefined;
  let last: TransitionRecord | undefined;
  const policies: string[] = [];
  let episodes = 0;
  let missing = 0;
  let late = 0;
  let stale = 0;
  const limiterTicks = Object.fromEntries(Object.keys(limiters).map(name => [name, 0])) as Record<Limiter, number>;
  const scan = readLog(path, {
    metadata: metadata => {
      header = Object.fromEntries(metadata);
    },
    record: record => {
      if (last === undefined || last.episode !== record.episode) episodes++;
      else missing += Math.max(0, record.step - last.step - 1);
      if (last?.policyDigest !== record.policyDigest) policies.push(record.policyDigest);
      if (record.late) late++;
      if (record.stale) stale++;
      for (const name of limiterNames(record.limiters)) limiterTicks[name]++;
      first ??= record;
      last = record;
    },
  });
  return {
    path,
    ...scan,
    header,
    policies,
    episodes,
    startedAt: first === undefined ? undefined : new Date(first.timeS * 1000).toISOString(),
    seconds: first === undefined || last === undefined ? 0 : last.timeS - first.timeS,
    missing,
    late,
    stale,
    limiterTicks,
  };
}

/**
 * Writes a log that a process could not finish as a whole one, with its index. Everything up to the last whole chunk is kept.
 *
 * @param out by default the log itself, which is replaced only once the new one is on the disk
 * @throws KitError E_LOG_READ, E_LOG_FORMAT, E_LOG_EXISTS, E_LOG_WRITE
 */
export function recoverLog(path: string, out = path): LogScan {
  if (out !== path) refuseExisting(out);
  return rewriteLog(path, out);
}

export const tableFormats = ['csv', 'jsonl'] as const;
export type TableFormat = (typeof tableFormats)[number];

const scalars = [
  'timeS',
  'episode',
  'step',
  'limiters',
  'late',
  'stale',
  'terminated',
  'truncated',
  'policyDigest',
] as const;
const arrays = ['observation', 'actionRequested', 'actionExecuted', 'position', 'velocity', 'target', 'goal'] as const;

/** Names of the columns: arrays are counted through, `position_0`. */
function csvHeader(record: TransitionRecord): string {
  return [...scalars, ...arrays.flatMap(name => Array.from(record[name], (_, i) => `${name}_${i}`))].join(',');
}

function csvRow(record: TransitionRecord): string {
  return [
    ...scalars.map(name => String(record[name])),
    ...arrays.flatMap(name => Array.from(record[name], String)),
  ].join(',');
}

/** Not-a-number, which JSON has no word for, becomes null. */
function jsonRow(record: TransitionRecord): string {
  return JSON.stringify(Object.fromEntries([...scalars, ...arrays].map(name => [name, record[name]])));
}

/**
 * @returns how the log ended; the rows are those of its whole chunks
 * @throws  KitError E_LOG_READ, E_LOG_FORMAT, E_LOG_EXISTS, E_LOG_WRITE
 */
export function convertLog(path: string, format: TableFormat, out: string): LogScan {
  refuseExisting(out);
  let handle: number | undefined;
  try {
    handle = openSync(out, 'wx');
    const write = (line: string) => writeSync(handle!, `${line}\n`);
    let first = true;
    const scan = readLog(path, {
      record: record => {
        if (first && format === 'csv') write(csvHeader(record));
        first = false;
        write(format === 'csv' ? csvRow(record) : jsonRow(record));
      },
    });
    fsyncSync(handle);
    return scan;
  } catch (error) {
    if (handle !== undefined) rmSync(out, { force: true });
    if (error instanceof KitError) throw error;
    throw new KitError(
      'E_LOG_WRITE',
      `can't write ${out}: ${messageOf(error)}`,
      'free some space, or name another file with --out',
    );
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
