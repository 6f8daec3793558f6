/** What a loop does with a policy on trial that it finds good, without the loop. */
import { openStore } from '@sim2servo/runtime/releases/release-store';

/** @param folder of the store */
export function tried(folder: string): void {
  const store = openStore(folder);
  if (store.state().trial === undefined) return;
  store.commit({
    format: 'sim2servo/policy-record@1',
    ticks: 1000,
    missedByWork: 0,
    limitedTicks: 0,
    boundedTicks: 0,
    refusedTicks: 0,
    faults: 0,
    trackingSquareSum: 0,
    inferP99Us: 50,
  });
}
