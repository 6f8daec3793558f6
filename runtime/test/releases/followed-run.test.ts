/** A run in virtual time beside a store that is filled in real time: a policy that becomes current there takes over in mid-motion. */
import { appendFileSync, cpSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { writeBundle } from '@sim2servo/models/bundle/write-bundle';
import { decodeModel, encodeModel } from '@sim2servo/models/onnx-model';
import type { TransitionRecord } from '@sim2servo/models/transition';
import t from 'tap';
import { readLog } from '../../src/log-reader.js';
import { logInfo } from '../../src/logs.js';
import { deployToFolder } from '../../src/releases/deploy-to-folder.js';
import type { RunOptions, RunReport } from '../../src/run-policy.js';
import { robot } from '../support/arm-fixture.js';
import { deployGood } from '../support/good-policy.js';
import { randomPolicy, writeSmallBundle } from '../support/small-bundle.js';
import { virtualRun } from '../support/virtual-run.js';

const folder = t.testdir();
const bundles = join(folder, 'bundles');
const digests = [1, 2].map(seed => writeSmallBundle(join(bundles, String(seed)), robot, randomPolicy(robot, seed)));
/** Ticks of the new policy before the run is ended. */
const enough = 60;

type Next = string | (() => Promise<void>);

/** By hand: `kit deploy rollback` does not let what can't take over come back while a loop drives. */
const puts = (store: string, digest: string) => async () => {
  rmSync(join(store, 'current'));
  symlinkSync(join('releases', digest), join(store, 'current'));
};

/** Runs the store's policy, and deploys the next once it moves or the one before has come; ends a while after the last has. */
async function followed(
  store: string,
  next: Next | readonly Next[],
  changes: Partial<RunOptions> = {},
): Promise<RunReport> {
  await deployGood(join(bundles, '1'), store);
  const left: Next[] = Array.isArray(next) ? [...next] : [next as Next];
  let deployed: Promise<unknown> | undefined;
  let changedAt = 0;
  const { report } = await virtualRun(store, run => ({
    onTick() {
      if (deployed !== undefined || run.ticks <= changedAt + enough) return;
      const one = left.shift();
      if (one === undefined) run.end();
      else deployed = typeof one === 'string' ? deployToFolder(one, store) : one();
    },
    onPolicy: () => {
      changedAt = run.ticks;
      deployed = undefined;
    },
    ...changes,
  }));
  await deployed;
  return report;
}

t.test('a policy that is deployed during a run takes over, no tick is missed, and the log says who drove', async t => {
  const logPath = join(folder, 'followed.mcap');
  const report = await followed(join(folder, 'store'), join(bundles, '2'), { logPath });
  t.equal(report.end.kind, 'interrupted');
  t.equal(report.missed, 0);
  t.equal(report.stale, 0);
  t.equal(report.policy.digest, digests[0]);
  t.match(report.followedBy, [{ digest: digests[1], atS: Number, refused: undefined }]);
  t.same(logInfo(logPath).policies, [digests[0], digests[1]]);
  const records: TransitionRecord[] = [];
  readLog(logPath, { record: record => records.push(record) });
  const first = records.findIndex(({ policyDigest }) => policyDigest === digests[1]);
  t.ok(first > 20 && records.slice(first).every(({ policyDigest }) => policyDigest === digests[1]));
  t.same(
    new Set(records.map((record, i) => Math.round((record.timeS - records[0]!.timeS) * 50) - i)),
    new Set([0]),
    'a record for every period',
  );
  const change = (i: number) =>
    Math.max(
      ...Array.from(records[i]!.actionRequested, (action, j) => Math.abs(action - records[i - 1]!.actionRequested[j]!)),
    );
  t.ok(change(first) <= 0.2 + 1e-6, `the first action of the new one is ${change(first)} from the last of the old one`);
});

t.test('a policy of another network does not take over: that is said, and the old one goes on', async t => {
  const other = join(bundles, 'other');
  const bundle = loadBundle(join(bundles, '2'));
  const model = decodeModel(bundle.model);
  model.graph!.node![1]!.output = ['twice'];
  model.graph!.node!.push({ opType: 'Identity', input: ['twice'], output: ['action'] });
  const { manifest, golden } = bundle;
  writeBundle(other, { ...manifest, name: 'other', robot, model: encodeModel(model), golden, createdAt: new Date(0) });
  const store = join(folder, 'store-2');
  const digest = await deployGood(other, store);
  const report = await followed(store, puts(store, digest));
  t.match(report.followedBy, [
    { refused: { code: 'E_POLICY_NETWORK', message: /another network/, hint: /end the run/ } },
  ]);
  t.equal(report.end.kind, 'interrupted');
});

t.test('nor does one of another rate', async t => {
  const slow = join(bundles, 'slow');
  const digest = writeSmallBundle(slow, robot, randomPolicy(robot, 4), { controlRateHz: 25 });
  const store = join(folder, 'store-3');
  await deployGood(slow, store);
  const { followedBy } = await followed(store, puts(store, digest));
  t.match(followedBy, [{ refused: { code: 'E_FOLLOW_DIFFERS', message: /control rate 25.*50/ } }]);
});

t.test('nor one that somebody put there by hand and changed', async t => {
  const store = join(folder, 'store-4');
  const forged = join(store, 'releases', digests[1]!);
  const { followedBy } = await followed(store, async () => {
    cpSync(join(bundles, '2'), forged, { recursive: true });
    appendFileSync(join(forged, 'policy.onnx'), 'x');
    rmSync(join(store, 'current'));
    symlinkSync(forged, join(store, 'current'));
  });
  t.match(followedBy, [
    { digest: digests[1], refused: { code: 'E_BUNDLE_DIGEST', message: /was changed after export/ } },
  ]);
});

t.test('after one that was refused the next one is looked at as if nothing had been', async t => {
  const store = join(folder, 'store-5');
  const slow = await deployGood(join(bundles, 'slow'), store);
  const { followedBy } = await followed(store, [puts(store, slow), puts(store, digests[0]!), join(bundles, '2')]);
  t.match(followedBy, [
    { refused: { code: 'E_FOLLOW_DIFFERS' } },
    { digest: digests[0], trial: false, refused: undefined },
    { digest: digests[1], trial: true, refused: undefined },
  ]);
  t.equal(followedBy.length, 3);
});

t.test('a store that goes away is said to be gone, and the policy goes on', async t => {
  const store = join(folder, 'store-6');
  const report = await followed(store, async () => rmSync(store, { recursive: true }));
  t.match(report.followedBy, [{ refused: { code: 'E_FOLLOW', message: /nobody looks for new policies any more/ } }]);
  t.equal(report.end.kind, 'interrupted');
});

t.test('a bundle is run as it is, and nobody looks for another', async t => {
  const store = join(folder, 'store-7');
  await deployToFolder(join(bundles, '1'), store);
  const report = await followed(store, [join(bundles, '2')], { policyDir: join(store, 'current'), seconds: 4 });
  t.match(report, { end: { kind: 'done' }, followedBy: [], trials: [] });
  rmSync(bundles, { recursive: true });
});
