/** Policies that have been tried and found good, in a release store. */
import { deployToFolder } from '../../src/releases/deploy-to-folder.js';
import type { PolicyRecord } from '../../src/releases/policy-record.js';
import { openStore } from '../../src/releases/release-store.js';

export const goodRecord: PolicyRecord = {
  format: 'sim2servo/policy-record@1',
  ticks: 500,
  missedByWork: 0,
  limitedTicks: 3,
  boundedTicks: 0,
  refusedTicks: 0,
  faults: 0,
  trackingSquareSum: 0.25,
  errorSquareSum: 12,
  stillSquareSum: 85,
  inferP99Us: 80,
};

/** Deploys a bundle where no loop runs, and commits it. @returns its digest */
export async function deployGood(bundle: string, folder: string, record = goodRecord): Promise<string> {
  const { digest } = await deployToFolder(bundle, folder);
  const store = openStore(folder);
  store.enter('full');
  store.commit(record);
  return digest;
}
