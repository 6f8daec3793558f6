/**
 * A lock on a release store that its owner's death opens (of another container: that nothing is heard of it for a while): a link whose target
 * says who owns it, so that the lock and its owner appear in one step. A dead owner's lock is not removed (two who wanted to would remove each
 * other's) but succeeded: `lock.<digest of the dead owner's words>` can be made once only. Who stands at the end of that chain and lives has
 * the lock.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sha256 } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { parseJson } from '@sim2servo/models/json-file';
import { z } from 'zod';
import { type Disk, unwritable } from './disk.js';
import { beat, beatMs, believedMs, hasBeaten } from './heartbeat.js';
import { isAlive, ownedS, ownerSchema, processWords, thisOwner, waitWords } from './owner.js';

const holderSchema = ownerSchema.extend({ who: z.string(), nonce: z.string() });
const waitMs = 2;
const deployerLock = 'lock';
/** A lock for a single change, held by what can't be looked at, is believed for so long: less than the patience of who waits for it. */
const changeMs = 10_000;
/** Words of locks that this thread has released, and that the disk did not let go. To others they are opened by the end of the process. */
const releasedHere = new Set<string>();
const bed = new Int32Array(new SharedArrayBuffer(4));

export interface LockPlace {
  readonly folder: string;
  readonly disk: Disk;
}

function textAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Where the chain ends: at one who lives, or at a place where nobody is yet. `passed` lie dead before it. */
function endOfChain(first: string) {
  const passed: string[] = [];
  const withinMs = basename(first) === deployerLock ? believedMs : changeMs;
  for (let path = first; ; ) {
    const text = textAt(path);
    if (text === undefined) return { path, passed };
    const holder = parseJson(text, holderSchema, `lock ${path}`);
    if (isAlive(holder, () => hasBeaten(path, withinMs)) && !releasedHere.has(text))
      return { path, passed, text, holder };
    passed.push(path);
    path = `${first}.${sha256(text).slice(0, 16)}`;
  }
}

export class StoreLock {
  readonly #disk: Disk;
  readonly #links: readonly string[];
  readonly #text: string;
  #beating: NodeJS.Timeout | undefined;

  private constructor(disk: Disk, links: readonly string[], text: string) {
    this.#disk = disk;
    this.#links = links;
    this.#text = text;
  }

  /**
   * The deployer's lock.
   *
   * @param who for whoever comes second
   * @throws KitError E_DEPLOY_BUSY, E_DEPLOY_TARGET where the disk does not take it
   */
  static take(store: LockPlace, who: string): StoreLock {
    const lock = StoreLock.#take(store, deployerLock, who, 0);
    lock.#beating = setInterval(() => beat(lock.#links.at(-1)!), beatMs).unref();
    return lock;
  }

  /**
   * Holds a lock that is held for single changes only while `change` runs: that of a store's state, where nothing else is said.
   *
   * @param name of the link in the folder
   * @param who  for whoever waits in vain
   * @throws KitError E_DEPLOY_BUSY after `patienceMs`, E_DEPLOY_TARGET where the disk does not take it
   */
  static whileChanging<Result>(
    place: LockPlace,
    change: () => Result,
    { name = 'state.lock', who = 'a change of the state', patienceMs = 20_000 } = {},
  ): Result {
    const lock = StoreLock.#take(place, name, who, patienceMs);
    try {
      return change();
    } finally {
      lock.release();
    }
  }

  /** Whether somebody deploys just now. */
  static isTaken(folder: string): boolean {
    return endOfChain(join(folder, deployerLock)).holder !== undefined;
  }

  static #take({ folder, disk }: LockPlace, name: string, who: string, patienceMs: number): StoreLock {
    const first = join(folder, name);
    const own = JSON.stringify({ ...thisOwner(), who: who.slice(0, 200), nonce: randomBytes(8).toString('hex') });
    for (const from = performance.now(); ; ) {
      const { path, passed, holder } = endOfChain(first);
      if (holder !== undefined) {
        if (performance.now() - from < patienceMs) {
          Atomics.wait(bed, 0, 0, waitMs);
          continue;
        }
        throw new KitError(
          'E_DEPLOY_BUSY',
          `${holder.who} (${processWords(holder)}) has been at ${folder} for ${ownedS(holder).toFixed(0)} s`,
          waitWords(holder, 'wait until it is done, then try again; kit deploy status shows what goes on'),
        );
      }
      try {
        disk.link(own, path);
      } catch (error) {
        const { code, syscall, message } = error as NodeJS.ErrnoException;
        if (code === 'EEXIST') continue;
        if (syscall === undefined) throw error;
        // What the system says of a link goes on with its target, the owner's words.
        throw unwritable(`nothing can be written into ${folder}: ${message.split(', ')[0]}`, error);
      }
      // Where the chain was taken away meanwhile, its owner had released it, and another may have begun a new one.
      if (endOfChain(first).text !== own) {
        disk.remove(path);
        continue;
      }
      const links = [...passed, path];
      for (const entry of readdirSync(folder))
        if (entry.startsWith(`${name}.`) && !links.includes(join(folder, entry))) disk.remove(join(folder, entry));
      return new StoreLock(disk, links, own);
    }
  }

  /** The first link goes first: with it the chain counts no more. A disk that keeps it does not hide why there was nothing more to do. */
  release(): void {
    clearInterval(this.#beating);
    try {
      for (const link of this.#links) this.#disk.remove(link);
    } catch {
      releasedHere.add(this.#text);
    }
  }
}
