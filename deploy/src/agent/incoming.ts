/**
 * Files on their way into a store: `<sha256>.part` while they come, `<sha256>` once they are what their name says. What a release holds
 * already needs not come again. Nothing here is trusted: whoever takes a file from here reads its digest anew.
 *
 * They come to `incoming/` itself where one agent receives for everybody, and else to a folder in it that is the agent's alone: two who wrote
 * into one file, over sftp for instance, which asks nobody, would spoil it for each other. What came to one of them is used by the next who
 * wants it, half a file as a copy. That all of it lies in a folder that says whose it is lets the store tidy up after those who died.
 */
import { existsSync, lstatSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundleLimits } from '@sim2servo/models/bundle/manifest';
import { sha256 as digestOf, shortDigest } from '@sim2servo/models/digest';
import { KitError, messageOf } from '@sim2servo/models/error';
import { type Disk, realDisk } from '@sim2servo/runtime/releases/disk';
import { isOwnerAlive, ownedName } from '@sim2servo/runtime/releases/owner';
import { makeFolders } from '@sim2servo/runtime/releases/store-files';

export interface WantedFile {
  readonly sha256: string;
  readonly bytes: number;
}

/** Beside the files that a manifest lists, itself and its signature. */
const maxFiles = bundleLimits.files + 2;
export const maxFileBytes = bundleLimits.fileBytes;
const maxBytes = bundleLimits.bundleBytes + bundleLimits.manifestBytes + bundleLimits.signatureBytes;
/** Who goes on with a file has touched it since. */
const idleMs = 60_000;
/** What a file takes: once as it comes, once in its release. */
const copies = 2;
/** Of a file that is still coming. */
const comingSuffix = '.part';
const wholeName = /^[0-9a-f]{64}$/;
/** Left free, so that a robot can still write its log. */
const spareBytes = 16 * 2 ** 20;

export interface IncomingOptions {
  /** Files come to a place that nobody else writes into. */
  readonly apart?: boolean | undefined;
  readonly free?: typeof freeBytes;
  readonly disk?: Disk | undefined;
}

export class Incoming {
  /** Absolute. */
  readonly folder: string;
  /** Where files come, as SHA256.part. Absolute; it is there once `lacking` was asked. */
  readonly place: string;
  readonly #releases: string;
  /** Bytes of the files that may be on their way here: nothing else is put anywhere. */
  readonly #expected = new Map<string, number>();
  /** Bytes of those that have come, until somebody lacks them again. */
  readonly #received = new Map<string, number>();
  readonly #free: typeof freeBytes;
  readonly #disk: Disk;

  /** @param store its folder; it needs not exist yet */
  constructor(store: string, { apart = false, free = freeBytes, disk = realDisk }: IncomingOptions = {}) {
    this.folder = resolve(store, 'incoming');
    this.place = apart ? join(this.folder, ownedName()) : this.folder;
    this.#releases = resolve(store, 'releases');
    this.#free = free;
    this.#disk = disk;
  }

  /**
   * Which of `files` must be sent, and from which byte on.
   *
   * @throws KitError E_DEPLOY_SIZE, E_DEPLOY_SPACE, E_DEPLOY_TARGET
   */
  async lacking(files: readonly WantedFile[]): Promise<{ sha256: string; from: number }[]> {
    const large = files.find(({ bytes }) => bytes > maxFileBytes);
    const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const tooMuch =
      files.length > maxFiles
        ? `${files.length} files are announced, more than ${maxFiles}`
        : large !== undefined
          ? `a file of ${large.bytes} bytes is announced, more than ${maxFileBytes}`
          : totalBytes > maxBytes && `${totalBytes} bytes are announced, more than ${maxBytes}`;
    if (tooMuch) throw new KitError('E_DEPLOY_SIZE', tooMuch, 'export the policy again with `kit export`');
    this.#make();
    const here = this.find();
    const missing = files
      .filter(({ sha256 }) => !here.has(sha256))
      .map(({ sha256, bytes }) => ({ sha256, from: this.#begun(sha256, bytes), bytes }));
    const needed = missing.reduce((sum, { bytes }) => sum + bytes, 0) * copies + spareBytes;
    if (missing.length > 0) {
      if (this.#free(this.folder) < needed) this.#makeRoom(files);
      this.#mustHold(needed);
    }
    return missing.map(({ sha256, from }) => ({ sha256, from }));
  }

  /** What others began to send, and did not go on with, gives way. */
  #makeRoom(wanted: readonly WantedFile[]): void {
    const kept = new Set(wanted.map(({ sha256 }) => sha256));
    for (const name of entries(this.folder)) {
      const path = join(this.folder, name);
      const touchedMs = ifOurs(() => lstatSync(path).mtimeMs) ?? Number.POSITIVE_INFINITY;
      const idles = Math.abs(Date.now() - touchedMs) > idleMs;
      if (idles && isOwnerAlive(name) !== true && !kept.has(name.replace(comingSuffix, ''))) this.#removeFile(path);
    }
  }

  /** Where the files lie that are here and whole, by their digests. Reads them all. */
  find(): Map<string, string> {
    const found = new Map<string, string>();
    const look = (folder: string) => {
      for (const name of entries(folder)) {
        if (name.endsWith(comingSuffix)) continue;
        const path = join(folder, name);
        const stat = ifOurs(() => lstatSync(path));
        if (stat?.isFile() !== true || stat.size > maxFileBytes) continue;
        const content = ifOurs(() => readFileSync(path));
        if (content === undefined) continue;
        found.set(digestOf(content), path);
      }
    };
    look(this.folder);
    for (const name of this.#places()) ifOurs(() => look(join(this.folder, name)));
    // After that: what another's installation takes from there is in a release first.
    for (const name of entries(this.#releases)) look(join(this.#releases, name));
    return found;
  }

  /** Bytes of the file that have come, to whomever. More than it has are none: something else has been there. */
  #begun(sha256: string, bytes: number): number {
    if (!this.#expected.has(sha256)) this.#takeOver(sha256, bytes);
    this.#received.delete(sha256);
    this.#expected.set(sha256, Math.max(bytes, this.#expected.get(sha256) ?? 0));
    const length = this.length(sha256);
    if (length <= bytes) return length;
    this.#disk.remove(this.#part(sha256));
    return 0;
  }

  /** Goes on with the most that came to another place, with a copy: somebody may still be at it. What nobody is at any more goes. */
  #takeOver(sha256: string, bytes: number): void {
    for (const name of ['.', ...this.#places()]) {
      const place = join(this.folder, name);
      if (place === this.place) continue;
      const part = join(place, sha256 + comingSuffix);
      const stat = ifOurs(() => lstatSync(part));
      if (stat?.isFile() === true && stat.size <= bytes && stat.size > this.length(sha256))
        onDisk(this.folder, () => ifOurs(() => this.#begin(sha256, readFileSync(part))));
      if (isOwnerAlive(name) !== false) continue;
      this.#removeFile(part);
      this.#removeEmpty(place);
    }
  }

  #begin(sha256: string, bytes: Uint8Array): void {
    this.#disk.remove(this.#part(sha256));
    this.#disk.write(this.#part(sha256), bytes);
  }

  /** Bytes that have come of a file that is still coming. */
  length(sha256: string): number {
    return lstatSync(this.#part(sha256), { throwIfNoEntry: false })?.size ?? 0;
  }

  /**
   * Adds to a file that is coming.
   *
   * @param offset must be its length
   * @returns its length now, unchanged where `offset` is another, or where it is here whole
   * @throws  KitError E_DEPLOY_UNASKED, E_DEPLOY_SIZE, E_DEPLOY_SPACE, E_DEPLOY_TARGET
   */
  append(sha256: string, offset: number, bytes: Uint8Array): number {
    const announced = this.#expected.get(sha256);
    if (announced === undefined) {
      // Another deployer has sent the same meanwhile.
      const whole = this.#received.get(sha256);
      if (whole !== undefined) return whole;
      throw new KitError(
        'E_DEPLOY_UNASKED',
        `file ${shortDigest(sha256)} was never announced`,
        'deploy again: what is there already is not sent again',
      );
    }
    const length = this.length(sha256);
    if (offset !== length) return length;
    if (length + bytes.length > announced)
      throw new KitError(
        'E_DEPLOY_SIZE',
        `file ${shortDigest(sha256)} was announced with ${announced} bytes, and has more`,
        'export the policy again with `kit export`',
      );
    this.#mustHold(bytes.length + spareBytes);
    this.#make();
    return onDisk(this.folder, () => {
      this.#disk.append(this.#part(sha256), bytes);
      return length + bytes.length;
    });
  }

  /** A file has come: it is kept, whatever happens, if it is what its name says, and else gone. @throws KitError E_DEPLOY_DIGEST, E_DEPLOY_LACKING, E_DEPLOY_TARGET */
  received(sha256: string): void {
    const part = this.#part(sha256);
    const stat = lstatSync(part, { throwIfNoEntry: false });
    if (stat === undefined) {
      // Who sent the same file at the same time may have it in a release by now.
      if (this.find().has(sha256)) return;
      throw new KitError(
        'E_DEPLOY_LACKING',
        `file ${shortDigest(sha256)} never came`,
        'deploy again: what is there already is not sent again',
      );
    }
    const found = stat.isFile() && stat.size <= maxFileBytes ? digestOf(readFileSync(part)) : 'none';
    if (found !== sha256) {
      this.#disk.remove(part);
      throw new KitError(
        'E_DEPLOY_DIGEST',
        `what came as file ${shortDigest(sha256)} has digest ${shortDigest(found)}: it was changed on its way`,
        'deploy again: it was thrown away, and comes anew',
      );
    }
    onDisk(this.folder, () => {
      this.#disk.sync(part);
      this.#disk.rename(part, join(this.place, sha256));
      this.#disk.sync(this.place);
    });
    this.#expected.delete(sha256);
    this.#received.set(sha256, stat.size);
  }

  /** Files that are in a release now. */
  remove(digests: readonly string[]): void {
    const dead = this.#places().filter(name => isOwnerAlive(name) === false);
    for (const place of new Set([this.place, ...dead.map(name => join(this.folder, name))])) {
      for (const digest of digests) this.#removeFile(join(place, digest));
      if (place !== this.folder) this.#removeEmpty(place);
    }
  }

  /** Whole files that came here, of a deployment that was refused: the next one brings its own. */
  discard(): void {
    for (const name of entries(this.place)) if (wholeName.test(name)) this.#removeFile(join(this.place, name));
    if (this.place !== this.folder) this.#removeEmpty(this.place);
  }

  /** Names of the folders that are somebody's alone. */
  #places(): string[] {
    return entries(this.folder).filter(name => isOwnerAlive(name) !== undefined);
  }

  #removeFile(path: string): void {
    ifOurs(() => this.#disk.remove(path));
  }

  /** @param place this agent's, or a dead one's: nobody else puts anything there */
  #removeEmpty(place: string): void {
    if (ifOurs(() => entries(place).length) === 0) this.#removeFile(place);
  }

  #part(sha256: string): string {
    return join(this.place, sha256 + comingSuffix);
  }

  /** @throws KitError E_DEPLOY_SPACE */
  #mustHold(needed: number): void {
    const free = this.#free(this.folder);
    if (free < needed)
      throw new KitError(
        'E_DEPLOY_SPACE',
        `the disk of ${this.folder} has ${free} bytes free, and ${needed} are needed`,
        'free some space on the robot; nothing was changed there',
      );
  }

  #make(): void {
    onDisk(this.folder, () => makeFolders(this.#disk, this.place));
  }
}

/** Not there yet, or a file where a release would be a folder: it holds nothing for us. */
const entries = (folder: string): string[] => unless(['ENOENT', 'ENOTDIR'], () => readdirSync(folder)) ?? [];

/** Undefined where another agent has moved or removed it meanwhile, or another user keeps it to himself: then it is as if it were not there. */
const ifOurs = <Result>(work: () => Result): Result | undefined => unless(['ENOENT', 'EACCES', 'EPERM'], work);

/** Undefined where the system says one of `codes`. */
function unless<Result>(codes: readonly string[], work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (codes.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Free for us on the disk of `folder`, or of the nearest one above it that exists. */
export function freeBytes(folder: string): number {
  let at = resolve(folder);
  while (!existsSync(at)) at = resolve(at, '..');
  const { bavail, bsize } = statfsSync(at);
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
