/** The thread that watches a release store. */
import { emptyState } from './store-state.js';
import { watchStore } from './watch-store.js';

// Replaced at the merge by `openStore` and `announceRunning` of release-store.js: this store knows of no trials.
const never = () => {
  throw new Error('this store knows of no trials');
};
await watchStore({
  openStore: () => ({
    state: () => emptyState,
    enter: never,
    started: never,
    paused: never,
    commit: never,
    rollback: never,
    record: () => undefined,
    keepRecord: () => {},
    note: never,
  }),
  announceRunning: () => () => {},
});
