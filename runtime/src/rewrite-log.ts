/** A log made out of another one: complete on the disk, with its index, before it takes its name. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '@sim2servo/models/durable-file';
import { KitError, messageOf } from '@sim2servo/models/error';
import type { TransitionRecord } from '@sim2servo/models/transition';
import { createLogFile } from './log-file.js';
import { type LogScan, readLog } from './log-reader.js';
import { LogWriter } from './log-writer.js';

/** Refuses to write over what is there. @throws KitError E_LOG_EXISTS */
export function refuseExisting(out: string, option = '--out'): void {
  if (existsSync(out))
    throw new KitError('E_LOG_EXISTS', `${out} exists already`, `name another file with ${option}`, 'usage');
}

/**
 * Copies the whole chunks of a log.
 *
 * @param out   may be `path` itself, which is replaced only once the new log is on the disk
 * @param keep  what becomes of a record; undefined: it is left out
 * @param metadata  of the new log, made of the old one's
 * @throws KitError E_LOG_READ, E_LOG_FORMAT, E_LOG_WRITE
 */
export function rewriteLog(
  path: string,
  out: string,
  keep: (record: TransitionRecord) => TransitionRecord | undefined = record => record,
  metadata: (old: ReadonlyMap<string, string>) => ReadonlyMap<string, string> = old => old,
): LogScan {
  // The metadata stand at the beginning of the file, and a writer wants them first.
  let old: ReadonlyMap<string, string> = new Map();
  readLog(path, {
    metadata: found => {
      old = found;
    },
  });
  const draft = `${out}.${process.pid}.part`;
  const file = createLogFile(draft);
  try {
    const writer = new LogWriter(file, metadata(old));
    const scan = readLog(path, {
      chunk: () => writer.closeChunk(),
      record: record => {
        const kept = keep(record);
        if (kept !== undefined) writer.add(kept);
      },
    });
    writer.finish();
    renameSync(draft, out);
    syncFolder(dirname(out));
    return scan;
  } catch (error) {
    rmSync(draft, { force: true });
    if (error instanceof KitError) throw error;
    throw new KitError(
      'E_LOG_WRITE',
      `can't write ${out}: ${messageOf(error)}`,
      'free some space, or name another file with --out',
    );
  }
}
