/** Files that are whole or absent after a crash: write aside, sync, rename, sync the folder. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Replaces `path` by `content`. Where that fails the old file stays, no draft is left, and the error is thrown. */
export function writeDurably(path: string, content: Uint8Array | string): void {
  const draft = `${path}.${process.pid}.part`;
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  try {
    const handle = openSync(draft, 'w');
    try {
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
