/** The files of a bundle, read with distrust: nothing but plain files, no more bytes than were agreed on, no link followed. */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, opendirSync, openSync, readSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { KitError, messageOf } from '../error.js';
import { bundleLimits } from './manifest.js';

/** Where the parts of a bundle are read. */
export interface BundleParts {
  /** Names of all that is there. */
  names(): string[];
  /** Undefined where there is none of this name. @throws KitError E_BUNDLE_FILE_KIND, E_BUNDLE_SIZE, E_BUNDLE_MISSING */
  read(name: string, maxBytes: number): Uint8Array | undefined;
  /** The same of a file that only has to be the right one: its bytes are not kept. */
  digest(name: string, maxBytes: number): FileDigest | undefined;
}

export interface FileDigest {
  readonly sha256: string;
  readonly bytes: number;
}

export function bundleFolder(folder: string): BundleParts {
  return partsAt(
    () => reading(folder, () => namesIn(folder)) ?? [],
    name => join(folder, name),
  );
}

/** Of a bundle whose files do not lie together yet. @param paths where each is, by its name in the bundle */
export function bundleFiles(paths: ReadonlyMap<string, string>): BundleParts {
  return partsAt(
    () => [...paths.keys()],
    name => paths.get(name),
  );
}

function partsAt(names: () => string[], pathOf: (name: string) => string | undefined): BundleParts {
  const at = <Result>(name: string, read: (path: string) => Result) => {
    const path = pathOf(name);
    return path === undefined ? undefined : reading(path, () => read(path));
  };
  return {
    names,
    read: (name, maxBytes) => at(name, path => readPlainFile(path, maxBytes)),
    digest: (name, maxBytes) => at(name, path => digestPlainFile(path, maxBytes)),
  };
}

function reading<Result>(path: string, read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KitError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new KitError(
      'E_BUNDLE_MISSING',
      `can't read ${path}: ${messageOf(error)}`,
      'name a folder that `kit export` wrote, and that you may read',
      'usage',
      { cause: error },
    );
  }
}

function namesIn(folder: string): string[] {
  const names: string[] = [];
  const open = opendirSync(folder);
  try {
    // One by one, and no more than can be right: a folder may hold millions. Two are beside those that a manifest lists.
    for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
      if (names.push(entry.name) > bundleLimits.files + 2)
        throw new KitError(
          'E_BUNDLE_EXTRA',
          `${folder} holds more than ${names.length - 1} files: no bundle does`,
          'name a folder that `kit export` wrote',
          'usage',
        );
    }
  } finally {
    open.closeSync();
  }
  return names;
}

/** A hard link is not refused: it is a plain file like any other, whose bytes are read once, here, and compared with their digest. */
function readPlainFile(path: string, maxBytes: number): Buffer {
  return withPlainFile(path, maxBytes, (handle, size) => {
    // One byte more than its size, to see that it does not grow.
    const bytes = Buffer.alloc(size + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(handle, bytes, length, bytes.length - length, length);
    return { result: bytes.subarray(0, length), length };
  });
}

/** Holds one piece of it at a time: a learner beside a policy is many times as large, and a robot has no use for it. */
function digestPlainFile(path: string, maxBytes: number): FileDigest {
  return withPlainFile(path, maxBytes, (handle, size) => {
    const hash = createHash('sha256');
    const piece = Buffer.alloc(pieceBytes);
    let length = 0;
    for (let read = -1; read !== 0 && length <= size; length += read) {
      read = readSync(handle, piece, 0, piece.length, length);
      hash.update(piece.subarray(0, read));
    }
    return { result: { sha256: hash.digest('hex'), bytes: length }, length };
  });
}

const pieceBytes = 2 ** 16;

/** @param read is told the file's size, and says how many bytes it has come upon */
function withPlainFile<Result>(
  path: string,
  maxBytes: number,
  read: (handle: number, size: number) => { readonly result: Result; readonly length: number },
): Result {
  check(path, lstatSync(path), maxBytes);
  // Looked at first, since opening a device can do something; and looked at again, since somebody may have put another in its place.
  const handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const opened = fstatSync(handle);
    check(path, opened, maxBytes);
    const { result, length } = read(handle, opened.size);
    if (length !== opened.size)
      throw new KitError('E_BUNDLE_SIZE', `${path} changes while it is read`, 'wait until it is whole', 'usage');
    return result;
  } finally {
    closeSync(handle);
  }
}

function check(path: string, stat: Stats, maxBytes: number): void {
  if (!stat.isFile())
    throw new KitError(
      'E_BUNDLE_FILE_KIND',
      `${path} is not a regular file`,
      'export the policy again with `kit export`',
    );
  if (stat.size > maxBytes)
    throw new KitError(
      'E_BUNDLE_SIZE',
      `${path} has ${stat.size} bytes, more than ${maxBytes}`,
      'export the policy again with `kit export`',
    );
}
