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
