/**
 * What a release store does to a disk: one call for each step that a loss of power can come between, so that a test can record them and
 * lose or reorder what was not synced. Reading needs no seam: it changes nothing.
 */
import {
  appendFileSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { KitError } from '@sim2servo/models/error';

export interface Disk {
  /** One folder; the one above it must exist. */
  makeFolder(path: string): void;
  /** A new file; EEXIST where there is one. Not yet synced. */
  write(path: string, bytes: Uint8Array): void;
  /** To the end of a file, which is made where it is missing. Not yet synced. */
  append(path: string, bytes: Uint8Array): void;
  /** A file's bytes, or a folder's names, survive from now on. */
  sync(path: string): void;
  link(target: string, path: string): void;
  rename(from: string, to: string): void;
  /** A file, a link, or a folder with all that is in it; nothing where it is missing. */
  remove(path: string): void;
}

export const realDisk: Disk = {
  makeFolder: path => mkdirSync(path),
  write: (path, bytes) => writeFileSync(path, bytes, { flag: 'wx' }),
  append: (path, bytes) => appendFileSync(path, bytes),
  sync(path) {
    const handle = openSync(path, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  },
  link: (target, path) => symlinkSync(target, path),
  rename: (from, to) => renameSync(from, to),
  remove: path => rmSync(path, { recursive: true, force: true }),
};

const full = 'free some space on that disk: logs (*.mcap) are the largest as a rule';
const hints: Readonly<Record<string, string>> = {
  ENOSPC: full,
  EDQUOT: full,
  EROFS: 'its file system can only be read: dmesg says whether its disk or card has failed',
};

/** What is told where a disk refuses. @param cause the system's error */
export function unwritable(message: string, cause: unknown): KitError {
  const hint = hints[(cause as NodeJS.ErrnoException).code ?? ''] ?? 'name a folder that you may write to';
  return new KitError('E_DEPLOY_TARGET', message, hint, 'failed', { cause });
}
