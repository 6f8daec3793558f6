/** What the agent needs of a release store; a store of the runtime gives it. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bundle, BundleExpectation } from '@sim2servo/models/bundle/load-bundle';
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { type Disk, realDisk } from '@sim2servo/runtime/releases/disk';
import type { HistoryEntry } from '@sim2servo/runtime/releases/history';
import type { Proposal } from '@sim2servo/runtime/releases/proposal';
import { isReleaseStore, openStore, ReleaseStore } from '@sim2servo/runtime/releases/release-store';
import { runningNow } from '@sim2servo/runtime/releases/running';
import type { SelfTest } from '@sim2servo/runtime/releases/self-test';
import { StoreFolder } from '@sim2servo/runtime/releases/store-folder';
import { StoreLock } from '@sim2servo/runtime/releases/store-lock';
import type { StoreState } from '@sim2servo/runtime/releases/store-state';

export interface AgentStore {
  readonly folder: string;
  state(): StoreState;
  current(): string | undefined;
  previous(): string | undefined;
  /** The loop that follows this store. */
  running(): { readonly digest: string; readonly sinceS: number } | undefined;
  history(last: number): HistoryEntry[];
  note(entry: HistoryEntry): void;
  /** One deployer at a time. @throws KitError E_DEPLOY_BUSY who has it, and since when */
  locked<Result>(by: string, work: () => Promise<Result>): Promise<Result>;
  /** Copies, syncs and tests it here, and lets it in. @throws KitError the store is as it was then */
  admit(bundle: Bundle, expected: BundleExpectation, retryBad?: string): Promise<SelfTest>;
  /** Puts it on trial, and notes that; where no loop drives the next run tries it. @returns false where it drives already */
  propose(digest: string, what: Proposal): boolean;
  /**
   * Back to the policy before; a loop that drives has taken it over then.
   *
   * @returns its digest
   * @throws  KitError E_ROLLBACK_UNFOLLOWED where the loop goes on with another, and what `operatorRollback` throws
   */
  rollback(reason: string, by: string, expected: BundleExpectation): Promise<string>;
}

export interface OpenOptions {
  /** What it holds is to be told: then one that can't be written to is read as it is, and a folder that is no store is made none. */
  readonly onlyRead?: boolean;
  /** How long a loop is given to take over what is current again. */
  readonly takeOverMs?: number;
  readonly disk?: Disk;
}

const pollMs = 50;

/** Whether there is a folder that holds no store, or one that this process can't change: on a card that failed and was mounted anew to be read only, for instance. */
function isLeftAlone(folder: string): boolean {
  // What can be no store is refused when it is opened.
  if (!existsSync(folder) || !statSync(folder).isDirectory() || existsSync(join(folder, 'policy.json'))) return false;
  if (!isReleaseStore(folder)) return true;
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch {
    return true;
  }
}

/** Opens the store at `folder`, which is made where there is none. @throws KitError E_DEPLOY_TARGET */
export function openAgentStore(
  folder: string,
  { onlyRead = false, takeOverMs = 10_000, disk = realDisk }: OpenOptions = {},
): AgentStore {
  const store =
    onlyRead && isLeftAlone(folder) ? new ReleaseStore(new StoreFolder(folder, disk)) : openStore(folder, disk);
  return {
    folder,
    state: () => store.state(),
    current: () => store.current(),
    previous: () => store.previous(),
    running() {
      const found = runningNow(store);
      return found && { digest: found.digest, sinceS: found.sinceS };
    },
    history: last => store.history(last),
    note: entry => store.note(entry),
    async locked(by, work) {
      const lock = StoreLock.take(store, by);
      try {
        return await work();
      } finally {
        lock.release();
      }
    },
    admit: (bundle, expected, retryBad) =>
      store.admit(bundle, expected, { sequence: bundle.signature?.sequence, retryBad }),
    propose(digest, what) {
      const proposed = store.propose(digest, what);
      store.prune();
      return proposed;
    },
    async rollback(reason, by, expected) {
      const digest = store.operatorRollback(reason, by, expected);
      for (const since = performance.now(); ; await sleep(pollMs)) {
        const running = runningNow(store);
        if (running === undefined || running.digest === digest) return digest;
        if (performance.now() - since > takeOverMs)
          throw new KitError(
            'E_ROLLBACK_UNFOLLOWED',
            `${shortDigest(digest)} is current again, for the next run; the arm is still driven by ${shortDigest(running.digest)}`,
            'end that run (kit stop), then start it again; what it prints, or its service’s log, has the reason',
          );
      }
    },
  };
}
