import { chmodSync, chownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { writeBundle } from '@sim2servo/models/bundle/write-bundle';
import { loadRobot, shippedPolicies } from '@sim2servo/models/robot-folder';
import { emptyRecord } from '@sim2servo/runtime/releases/policy-record';
import { openStore } from '@sim2servo/runtime/releases/release-store';
import { announceRunning } from '@sim2servo/runtime/releases/running';
import t from 'tap';
import { openAgentStore } from '../../src/agent/agent-store.js';
import { RobotAgent } from '../../src/agent/robot-agent.js';

const folder = t.testdir();
const [first, second] = ['so101-reach-50hz', 'so101-reach-100hz'].map(name => loadBundle(join(shippedPolicies, name)));
const record = { ...emptyRecord, ticks: 1000, inferP99Us: 50 };

t.test('to tell what lies in a folder that is no store leaves it as it is', async t => {
  const at = t.testdir({ 'notes.txt': 'mine' });
  const store = openAgentStore(at, { onlyRead: true });
  t.same([store.current(), store.previous(), store.running(), store.history(9)], [undefined, undefined, undefined, []]);
  t.same(store.state().bad, {});
  t.same(readdirSync(at), ['notes.txt']);
});

t.test('a first policy is current at once, and the next run tries it', async t => {
  const at = join(folder, 'idle');
  const store = openAgentStore(at);
  t.equal(store.current(), undefined);
  t.ok((await store.admit(first!, {})).goldenMaxError < 1e-5);
  t.ok(store.propose(first!.digest, { id: 'a', skip: {}, by: 'me' }));
  t.equal(store.current(), first!.digest);
  t.match(store.state().trial, { digest: first!.digest, phase: 'limited', skip: {} });
  t.match(store.history(1), [
    { event: 'proposed', id: 'a', by: 'me', words: /without shadow: there is none before it/ },
  ]);
  openStore(at).commit(record);
  t.notOk(store.propose(first!.digest, { id: 'b', skip: {}, by: 'me' }), 'it drives already');
});

t.test('where a loop drives the old one stays until the loop has tried the new one', async t => {
  const at = join(folder, 'driving');
  const store = openAgentStore(at);
  await store.admit(first!, {});
  store.propose(first!.digest, { id: 'a', skip: {}, by: 'me' });
  openStore(at).commit(record);
  const end = announceRunning(openStore(at), () => first!.digest);
  t.match(store.running(), { digest: first!.digest });
  t.same(Object.keys(store.running()!).sort(), ['digest', 'sinceS'], 'what the protocol has, and no more');
  await store.admit(second!, {});
  store.propose(second!.digest, { id: 'b', skip: { limited: 'it is slow' }, by: 'me' });
  t.equal(store.current(), first!.digest);
  t.match(store.state().trial, { phase: 'shadow', replaces: first!.digest, skip: { limited: 'it is slow' } });
  end();
  t.equal(await store.rollback('why not', 'me', {}), first!.digest);
});

t.test('a rollback has come true when it is answered, and where the loop goes on as it did that is said', async t => {
  const at = join(folder, 'back');
  const robot = loadRobot('so101');
  const { model, golden, manifest } = first!;
  writeBundle(join(folder, 'again'), { ...manifest, robot, model, golden, name: 'again', createdAt: new Date(0) });
  const again = loadBundle(join(folder, 'again'));
  const store = openAgentStore(at, { takeOverMs: 300 });
  for (const bundle of [first!, again]) {
    await store.admit(bundle, {});
    store.propose(bundle.digest, { id: bundle.digest, skip: {}, by: 'me' });
    openStore(at).enter('full');
    openStore(at).commit(record);
  }
  const loop = openStore(at);
  loop.drive(() => again.digest);
  await t.rejects(store.rollback('it shook', 'me', {}), {
    code: 'E_ROLLBACK_UNFOLLOWED',
    message: new RegExp(`still driven by ${again.digest.slice(0, 12)}`),
    hint: /kit stop/,
  });
  t.equal(store.current(), first!.digest);
  loop.drive(() => first!.digest);
  const patient = openAgentStore(at);
  let answered = false;
  const back = patient.rollback('it shook', 'me', {}).finally(() => {
    answered = true;
  });
  await new Promise(resolve => setTimeout(resolve, 200));
  t.notOk(answered);
  const end = loop.drive(() => again.digest);
  t.equal(await back, again.digest);
  end();
});

t.test('one that failed here comes in again with a reason only', async t => {
  const at = join(folder, 'retried');
  const store = openAgentStore(at);
  await store.admit(first!, {});
  store.propose(first!.digest, { id: 'a', skip: {}, by: 'me' });
  openStore(at).rollback('it missed 40 ticks');
  await t.rejects(store.admit(first!, {}), { code: 'E_BUNDLE_BAD' });
  await store.admit(first!, {}, 'it was busy');
  t.ok(store.propose(first!.digest, { id: 'b', skip: {}, by: 'me', retryBad: 'it was busy' }));
  t.match(store.history(1), [
    { words: /^to be tried again: it was busy \(.*40 ticks\), without shadow: there is none before it/ },
  ]);
});

t.test('one deployer at a time', async t => {
  const store = openAgentStore(join(folder, 'locked'));
  let release = () => {};
  const holding = store.locked('Ann', () => new Promise<void>(resolve => (release = resolve)));
  await t.rejects(
    store.locked('Ben', async () => {}),
    { code: 'E_DEPLOY_BUSY', message: /Ann/ },
  );
  release();
  await holding;
  await t.rejects(
    store.locked('Ann', async () => {
      throw new Error('it broke');
    }),
    { message: 'it broke' },
  );
  t.equal(await store.locked('Ben', async () => 'in'), 'in');
});

const onPosix = { skip: process.platform === 'win32' ? 'needs permissions of files' : false };
const nobody = 65_534;

t.test('one that can only be read tells what it holds, and is changed by nobody', onPosix, async t => {
  const at = join(folder, 'read-only');
  const store = openAgentStore(at);
  await store.admit(first!, {});
  store.propose(first!.digest, { id: 'a', skip: {}, by: 'me' });
  const names = readdirSync(at);
  chmodSync(at, 0o555);
  // Root may write everything.
  const root = process.getuid!() === 0;
  if (root) {
    chownSync(at, nobody, nobody);
    process.seteuid!(nobody);
  }
  t.teardown(() => {
    if (root) process.seteuid!(0);
    chmodSync(at, 0o755);
  });
  const agent = new RobotAgent({ store: at, robot: 'so101' });
  const asking = { onEvent: () => {}, signal: new AbortController().signal };
  t.match(await agent.answer({ kind: 'status' }, asking), { current: first!.digest, state: { trial: { id: 'a' } } });
  t.match(await agent.answer({ kind: 'history', last: 1 }, asking), [{ event: 'proposed', id: 'a' }]);
  const rollback = { kind: 'rollback', reason: 'it shook', by: 'me' } as const;
  await t.rejects(agent.answer(rollback, asking), { code: 'E_DEPLOY_TARGET', message: /EACCES|EPERM|EROFS/ });
  t.same(readdirSync(at), names);
});
