/**
 * Files on their way into a store: `incoming/<sha256>.part` while they come, `incoming/<sha256>` once they are what their name says. What a
 * release holds already needs not come again. Nothing here is trusted: whoever takes a file from here reads its digest anew.
 */
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { sha256 as digestOf, shortDigest } from '@sim2servo/models/digest';
import { KitError, messageOf } from '@sim2servo/models/error';

export interface WantedFile {
  readonly sha256: string;
  readonly bytes: number;
}

/** A bundle holds six files today, none of which comes near this. */
const maxFiles = 64;
export const maxFileBytes = 64 * 2 ** 20;
/** What a file takes: once as it comes, once in its release. */
const copies = 2;
/** Of a file that is still coming. */
const comingSuffix = '.part';
/** Left free, so that a robot can still write its log. */
const spareBytes = 16 * 2 ** 20;

export class Incoming {
  /** Absolute. */
  readonly folder: string;
  readonly #releases: string;

  /** @param store its folder; it needs not exist yet */
  constructor(store: string) {
    this.folder = resolve(store, 'incoming');
    this.#releases = resolve(store, 'releases');
  }

  /**
   * Which of `files` must be sent, and from which byte on.
   *
   * @throws KitError E_DEPLOY_SIZE, E_DEPLOY_SPACE, E_DEPLOY_TARGET
   */
  async lacking(files: readonly WantedFile[]): Promise<{ sha256: string; from: number }[]> {
    const large = files.find(({ bytes }) => bytes > maxFileBytes);
    if (files.length > maxFiles || large !== undefined)
      throw new KitError(
        'E_DEPLOY_SIZE',
        large === undefined
          ? `${files.length} files are announced, more than ${maxFiles}`
          : `a file of ${large.bytes} bytes is announced, more than ${maxFileBytes}`,
        'export the policy again with `kit export`',
      );
    this.#make();
    const here = this.find(files.map(({ sha256 }) => sha256));
    const missing = files
      .filter(({ sha256 }) => !here.has(sha256))
      .map(({ sha256, bytes }) => ({ sha256, from: this.#begun(sha256, bytes), bytes }));
    const needed = missing.reduce((sum, { bytes }) => sum + bytes, 0) * copies + spareBytes;
    const free = await freeBytes(this.folder);
    if (missing.length > 0 && free < needed)
      throw new KitError(
        'E_DEPLOY_SPACE',
        `the disk of ${this.folder} has ${free} bytes free, and ${needed} are needed`,
        'free some space on the robot; nothing was changed there',
      );
    return missing.map(({ sha256, from }) => ({ sha256, from }));
  }

  /** Where the files of these digests lie that are here and whole. */
  find(digests: readonly string[]): Map<string, string> {
    const found = new Map<string, string>();
    const folders = [this.folder, ...entries(this.#releases).map(name => join(this.#releases, name))];
    for (const folder of folders)
      for (const name of entries(folder)) {
        if (name.endsWith(comingSuffix)) continue;
        const path = join(folder, name);
        const stat = lstatSync(path, { throwIfNoEntry: false });
        if (stat?.isFile() !== true || stat.size > maxFileBytes) continue;
        const digest = digestOf(readFileSync(path));
        if (digests.includes(digest)) found.set(digest, path);
      }
    return found;
  }

  /** Bytes of the file that have come. More than it has are none: something else has been there. */
  #begun(sha256: string, bytes: number): number {
    const length = this.length(sha256);
    if (length <= bytes) return length;
    rmSync(this.#part(sha256));
    return 0;
  }

  /** Bytes that have come of a file that is still coming. */
  length(sha256: string): number {
    return lstatSync(this.#part(sha256), { throwIfNoEntry: false })?.size ?? 0;
  }

  /**
   * Adds to a file that is coming.
   *
   * @param offset must be its length
   * @returns its length now, unchanged where `offset` is another
   * @throws  KitError E_DEPLOY_SIZE, E_DEPLOY_TARGET
   */
  append(sha256: string, offset: number, bytes: Uint8Array): number {
    this.#make();
    const length = this.length(sha256);
    if (offset !== length) return length;
    if (length + bytes.length > maxFileBytes)
      throw new KitError(
        'E_DEPLOY_SIZE',
        `file ${shortDigest(sha256)} has more than ${maxFileBytes} bytes`,
        'export the policy again with `kit export`',
      );
    return onDisk(this.folder, () => {
      appendFileSync(this.#part(sha256), bytes);
      return length + bytes.length;
    });
  }

  /** A file has come: it is let in if it is what its name says, and else gone. @throws KitError E_DEPLOY_DIGEST, E_DEPLOY_LACKING */
  received(sha256: string): void {
    const part = this.#part(sha256);
    const stat = lstatSync(part, { throwIfNoEntry: false });
    if (stat === undefined) {
      // Who sent the same file at the same time may have it in a release by now.
      if (this.find([sha256]).has(sha256)) return;
      throw new KitError(
        'E_DEPLOY_LACKING',
        `file ${shortDigest(sha256)} never came`,
        'deploy again: what is there already is not sent again',
      );
    }
    const found = stat.isFile() && stat.size <= maxFileBytes ? digestOf(readFileSync(part)) : 'none';
    if (found !== sha256) {
      rmSync(part, { recursive: true });
      throw new KitError(
        'E_DEPLOY_DIGEST',
        `what came as file ${shortDigest(sha256)} has digest ${shortDigest(found)}: it was changed on its way`,
        'deploy again: it was thrown away, and comes anew',
      );
    }
    renameSync(part, join(this.folder, sha256));
  }

  /** Files that are in a release now. */
  remove(digests: readonly string[]): void {
    for (const digest of digests) rmSync(join(this.folder, digest), { force: true });
  }

  /** A folder to put a bundle together in. The store's lock must be held: there is one, and what a dead agent left goes. */
  makeDraft(): string {
    this.removeDraft();
    const draft = join(this.folder, 'draft');
    onDisk(this.folder, () => mkdirSync(draft, { recursive: true }));
    return draft;
  }

  removeDraft(): void {
    rmSync(join(this.folder, 'draft'), { recursive: true, force: true });
  }

  #part(sha256: string): string {
    return join(this.folder, sha256 + comingSuffix);
  }

  #make(): void {
    onDisk(this.folder, () => mkdirSync(this.folder, { recursive: true }));
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Not there yet, or a file where a release would be a folder: it holds nothing for us.
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

/** Free for us on the disk of `folder`, or of the nearest one above it that exists. */
export async function freeBytes(folder: string): Promise<number> {
  let at = resolve(folder);
  while (!existsSync(at)) at = resolve(at, '..');
  const { bavail, bsize } = await statfs(at);
  return bavail * bsize;
}

function onDisk<Result>(folder: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new KitError(
      'E_DEPLOY_TARGET',
      `can't write into ${folder}: ${messageOf(error)}`,
      'free some space, or name a folder that you may write to',
      'failed',
      { cause: error },
    );
  }
}
