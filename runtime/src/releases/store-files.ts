/** Files and links of a release store that are the old ones or the new ones, whatever happens: written aside, synced, renamed, the folder synced. */
import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Disk } from './disk.js';

const exists = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** Drafts of files and links carry this name before their own; what is left of them goes at the next opening. */
export const draftPrefix = '.draft-';
const draftOf = (folder: string, name: string) => join(folder, draftPrefix + name);

/** @returns once it is durable; `unsynced` it is the old one or the new one after a loss of power, and whole */
export function replaceFile(disk: Disk, folder: string, name: string, content: string, unsynced = false): void {
  const draft = draftOf(folder, name);
  if (exists(draft)) disk.remove(draft);
  disk.write(draft, Buffer.from(content));
  disk.sync(draft);
  disk.rename(draft, join(folder, name));
  if (!unsynced) disk.sync(folder);
}

/** @returns once it is durable */
export function replaceLink(disk: Disk, target: string, path: string): void {
  const folder = dirname(path);
  const draft = draftOf(folder, path.slice(folder.length + 1));
  if (exists(draft)) disk.remove(draft);
  disk.link(target, draft);
  disk.rename(draft, path);
  disk.sync(folder);
}

/** A folder and what it lies in, as far as they are missing. */
export function makeFolders(disk: Disk, folder: string): void {
  if (exists(folder)) return;
  makeFolders(disk, dirname(folder));
  makeFolder(disk, folder);
  disk.sync(dirname(folder));
}

/** One that was missing a moment ago: another deployer, the first one too, may have made it since. */
export function makeFolder(disk: Disk, folder: string): void {
  try {
    disk.makeFolder(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !lstatSync(folder).isDirectory()) throw error;
  }
}
