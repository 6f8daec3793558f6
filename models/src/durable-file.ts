/** Files that are whole or absent after a crash: write aside, sync, rename, sync the folder. */
import { closeSync, existsSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Replaces `path` by `content`. Where that fails the old file stays, no draft is left, and the error is thrown.
 *
 * @param mode who may read it, from its first byte on; by default whoever the process lets
 */
export function writeDurably(path: string, content: Uint8Array | string, mode?: number): void {
  const draft = `${path}.${process.pid}.part`;
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  try {
    const handle = openSync(draft, 'w', mode);
    try {
      // A draft that was left by a killed writer has the mode that it had.
      if (mode !== undefined) fchmodSync(handle, mode);
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(draft, path);
  } catch (error) {
    // Even a forced `rmSync` throws where the folder is a file, and would hide the error.
    if (existsSync(draft)) rmSync(draft);
    throw error;
  }
  syncFolder(dirname(path));
}
