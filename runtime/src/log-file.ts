/** The file under a log: appended to, synced, and cut back to its last whole chunk when the disk gives up. */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '@sim2servo/models/durable-file';
import { KitError, messageOf } from '@sim2servo/models/error';

/** What a log writer needs of a file. */
export interface LogFile {
  /** Appends all of `bytes`, or throws. */
  append(bytes: Uint8Array): void;
  /** Returns once what was appended survives a loss of power. */
  sync(): void;
  /** Forgets what lies beyond `size`. */
  truncate(size: number): void;
  close(): void;
}

/**
 * Creates a log. An existing file is never written over; a device such as /dev/null may be named.
 *
 * @throws KitError E_LOG_EXISTS, E_LOG_WRITE
 */
export function createLogFile(path: string): LogFile {
  let handle: number;
  let regular: boolean;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const special = existsSync(path) && !statSync(path).isFile();
    handle = openSync(path, special ? 'w' : 'wx');
    regular = fstatSync(handle).isFile();
    if (regular) syncFolder(dirname(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && existsSync(path))
      throw new KitError(
        'E_LOG_EXISTS',
        `${path} exists already; a log is never written over`,
        'name another file',
        'usage',
      );
    throw new KitError(
      'E_LOG_WRITE',
      `can't create the log ${path}: ${messageOf(error)}`,
      'name a folder that you may write to with --log',
      'usage',
      { cause: error },
    );
  }
  return {
    append(bytes) {
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    },
    sync: () => {
      if (regular) fdatasyncSync(handle);
    },
    truncate: size => {
      if (regular) ftruncateSync(handle, size);
    },
    close: () => closeSync(handle),
  };
}
