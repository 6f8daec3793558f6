/**
 * `running.json` of a release store: who drives just now. It lies there while a loop follows the store; one that was left by a loop that died,
 * or by a boot that is over, says nothing; one of another container for as long as it is touched.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import { readJsonFile } from '@sim2servo/models/json-file';
import { z } from 'zod';
import { beat, hasBeaten } from './heartbeat.js';
import {
  isAlive,
  isThisProcess,
  type Owner,
  ownedS,
  ownerSchema,
  processWords,
  thisOwner,
  waitWords,
} from './owner.js';
import { draftPrefix } from './store-files.js';
import { type LockPlace, StoreLock } from './store-lock.js';

const file = 'running.json';
const runningSchema = z.strictObject({ digest: z.string(), loop: ownerSchema });

export interface Running {
  /** Of the policy that drives. */
  readonly digest: string;
  readonly pid: number;
  /** Since the loop began. */
  readonly sinceS: number;
}

function livingLoop(folder: string): { digest: string; loop: Owner } | undefined {
  const path = join(folder, file);
  if (!existsSync(path)) return undefined;
  const found = readJsonFile(path, runningSchema, 'the mark of a loop');
  return isAlive(found.loop, () => hasBeaten(path)) ? found : undefined;
}

/** Tells those who can't look at this process that it goes on: now and then, while it drives. */
export function stillRunning({ folder }: Pick<LockPlace, 'folder'>): void {
  const found = livingLoop(folder);
  if (found !== undefined && isThisProcess(found.loop)) beat(join(folder, file));
}

/** The loop that follows this store. */
export function runningNow({ folder }: Pick<LockPlace, 'folder'>): Running | undefined {
  const found = livingLoop(folder);
  return found && { digest: found.digest, pid: found.loop.pid, sinceS: ownedS(found.loop) };
}

/**
 * Says that this process drives, and with what; again when another policy took over.
 *
 * @param choose the digest; asked alone with the state of the store
 * @returns takes it back
 * @throws  KitError E_STORE_RUNNING where another process does
 */
export function announceRunning(store: LockPlace, choose: () => string): () => void {
  const { folder, disk } = store;
  const path = join(folder, file);
  StoreLock.whileChanging(store, () => {
    const other = livingLoop(folder);
    if (other !== undefined && !isThisProcess(other.loop))
      throw new KitError(
        'E_STORE_RUNNING',
        `${processWords(other.loop)} follows ${folder} and has driven for ${ownedS(other.loop).toFixed(0)} s`,
        waitWords(other.loop, 'end that run first; two arms need a store each'),
        'usage',
      );
    const digest = choose();
    const loop = { ...thisOwner(), ...(other && { sinceUptimeS: other.loop.sinceUptimeS }) };
    const draft = join(folder, draftPrefix + file);
    disk.remove(draft);
    disk.write(draft, Buffer.from(JSON.stringify({ digest, loop })));
    // Its name need not survive a loss of power; half a file under that name must not.
    disk.sync(draft);
    disk.rename(draft, path);
  });
  return () =>
    StoreLock.whileChanging(store, () => {
      const found = livingLoop(folder);
      if (found !== undefined && isThisProcess(found.loop)) disk.remove(path);
    });
}
