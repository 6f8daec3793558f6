/** What the agent needs of a release store; a store of the runtime gives it. */
import type { Bundle, BundleExpectation } from '@sim2servo/models/bundle/load-bundle';
import type { HistoryEntry } from '@sim2servo/runtime/releases/history';
import { openStore } from '@sim2servo/runtime/releases/release-store';
import { runningNow } from '@sim2servo/runtime/releases/running';
import type { SelfTest } from '@sim2servo/runtime/releases/self-test';
import { StoreLock } from '@sim2servo/runtime/releases/store-lock';
import type { StoreState, Trial } from '@sim2servo/runtime/releases/store-state';

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
  admit(bundle: Bundle, expected: BundleExpectation): Promise<SelfTest>;
  /** Puts it on trial, and notes that; where no loop drives it is current at once, and the next run tries it. @returns false where it drives already */
  propose(digest: string, what: Pick<Trial, 'id' | 'skip'> & { readonly by: string }): boolean;
  /** @returns digest of what drives from now on */
  rollback(reason: string, by: string): Promise<string>;
}

/** Opens the store at `folder`, which is made where there is none. @throws KitError E_DEPLOY_TARGET */
export function openAgentStore(folder: string): AgentStore {
  const store = openStore(folder);
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
    admit: (bundle, expected) => store.admit(bundle, expected, { sequence: bundle.signature?.sequence }),
    propose(digest, { id, by, skip }) {
      const proposed =
        runningNow(store) === undefined
          ? store.propose(digest, { id, by, skip: { shadow: 'no policy drives just now', ...skip }, phase: 'limited' })
          : store.propose(digest, { id, by, skip });
      store.prune();
      return proposed;
    },
    rollback: async (reason, by) => store.operatorRollback(reason, by),
  };
}
