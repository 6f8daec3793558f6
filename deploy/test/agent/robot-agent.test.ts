import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { shippedPolicies, shippedRobots } from '@sim2servo/models/robot-folder';
import type { HistoryEntry } from '@sim2servo/runtime/releases/history';
import { emptyState, type StoreState, type Trial } from '@sim2servo/runtime/releases/store-state';
import t from 'tap';
import type { AgentStore } from '../../src/agent/agent-store.js';
import { protocolVersion, type Request } from '../../src/agent/protocol.js';
import { RobotAgent } from '../../src/agent/robot-agent.js';

const folder = t.testdir();
const bundle = join(shippedPolicies, 'so101-reach-50hz');
const digest = sha256(readFileSync(join(bundle, 'policy.json')));
const selfTested = {
  backend: 'native',
  goldenMaxError: 1e-6,
  inferUs: { p50: 30, p99: 90 },
} as Awaited<ReturnType<AgentStore['admit']>>;

/** A store in memory that does as it is told. */
class FakeStore implements AgentStore {
  readonly folder = join(folder, `store-${Math.random()}`);
  readonly entries: HistoryEntry[] = [];
  readonly did: string[] = [];
  trial: Trial | undefined;
  driving: { digest: string; sinceS: number } | undefined;
  readOnly = false;
  state = (): StoreState => ({ ...emptyState, ...(this.trial && { trial: this.trial }) });
  current = () => undefined;
  previous = () => undefined;
  running = () => this.driving;
  history = (last: number) => this.entries.slice(-last);
  note(entry: HistoryEntry): void {
    if (this.readOnly) throw new Error('EROFS');
    this.entries.push(entry);
  }
  async locked<Result>(by: string, work: () => Promise<Result>): Promise<Result> {
    this.did.push(`lock ${by}`);
    try {
      return await work();
    } finally {
      this.did.push('unlock');
    }
  }
  async admit(_bundle: unknown, _expected: unknown, retryBad?: string): Promise<typeof selfTested> {
    this.did.push(retryBad === undefined ? 'admit' : `admit: ${retryBad}`);
    if (this.readOnly) throw new KitError('E_DEPLOY_TARGET', 'nothing can be written', 'free some space');
    return selfTested;
  }
  propose(digest: string, { id, skip, by, retryBad }: Parameters<AgentStore['propose']>[1]): boolean {
    this.did.push(retryBad === undefined ? 'propose' : `propose: ${retryBad}`);
    this.trial = { id, digest, phase: 'shadow', running: false, skip };
    this.tell('proposed', id, by);
    return true;
  }
  tell(event: HistoryEntry['event'], id: string, by = 'the loop'): void {
    this.entries.push({ at: new Date(0).toISOString(), id, digest, event, words: event, seconds: 1, by });
  }
  rollback = async (reason: string, by: string) => {
    this.did.push(`rollback ${reason} ${by}`);
    return digest;
  };
}

const asking = (events: string[] = []) => ({
  onEvent: ({ event }: HistoryEntry) => void events.push(event),
  signal: new AbortController().signal,
});

/** An agent that all files of the bundle have come to. */
function agentOf(store: FakeStore, robot: string | undefined = 'so101'): RobotAgent {
  const agent = new RobotAgent({ store: store.folder, robot, openStore: () => store });
  for (const name of readdirSync(bundle)) {
    const content = readFileSync(join(bundle, name));
    mkdirSync(agent.incoming.folder, { recursive: true });
    writeFileSync(join(agent.incoming.folder, sha256(content)), content);
  }
  return agent;
}
const install: Request & { kind: 'install' } = { kind: 'install', manifest: digest, skip: {}, by: 'a test' };

t.test('hello says where files go, and knows one protocol only', async t => {
  const store = new FakeStore();
  const agent = agentOf(store);
  const hello = await agent.answer({ kind: 'hello', protocol: protocolVersion }, asking());
  t.match(hello, { protocol: 1, incoming: join(store.folder, 'incoming'), robot: 'so101' });
  await t.rejects(agent.answer({ kind: 'hello', protocol: 99 }, asking()), { code: 'E_AGENT_PROTOCOL', message: /99/ });
});

t.test('an installation is verified, admitted and proposed, under the lock, each step noted and told', async t => {
  const store = new FakeStore();
  const events: string[] = [];
  const { id, outcome } = await agentOf(store).answer(
    { ...install, skip: { limited: 'it is slow enough' } },
    asking(events),
  );
  t.equal(outcome, 'proposed');
  t.same(store.did, ['lock a test', 'admit', 'propose', 'unlock']);
  t.same(events, ['verified', 'tested', 'admitted', 'proposed']);
  t.same(
    store.entries.map(({ event }) => event),
    events,
  );
  t.ok(store.entries.every(entry => entry.id === id && entry.by === 'a test' && entry.digest === digest));
  t.match(store.entries[1], { figures: { goldenMaxError: 1e-6, inferP99Us: 90 }, words: /p99 90 µs/ });
  t.match(store.trial, { id, skip: { limited: 'it is slow enough' } });
  t.same(readdirSync(join(store.folder, 'incoming')), [], 'what is in a release now is not kept twice');
});

t.test('why a bad one is to be tried again reaches the store', async t => {
  const store = new FakeStore();
  await agentOf(store).answer({ ...install, retryBad: 'it was busy' }, asking());
  t.same(store.did, ['lock a test', 'admit: it was busy', 'propose: it was busy', 'unlock']);
});

t.test('what is refused is noted with its reason, and admitted never', async t => {
  const robot = join(folder, 'other');
  cpSync(join(shippedRobots, 'so101'), robot, { recursive: true });
  writeFileSync(
    join(robot, 'robot.json'),
    JSON.stringify({ ...JSON.parse(readFileSync(join(robot, 'robot.json'), 'utf8')), name: 'other' }),
  );
  const store = new FakeStore();
  const events: string[] = [];
  await t.rejects(agentOf(store, robot).answer(install, asking(events)), { code: 'E_BUNDLE_ROBOT' });
  t.same(events, ['refused']);
  t.match(store.entries, [{ event: 'refused', words: /not for 'other'/ }]);
  t.same(readdirSync(join(store.folder, 'incoming')), [], 'and nothing of it is kept');
  t.same(store.did, ['lock a test', 'unlock']);
});

t.test('keys are those of the robot folder as it is now', async t => {
  const robot = join(folder, 'keys');
  cpSync(join(shippedRobots, 'so101'), robot, { recursive: true });
  const store = new FakeStore();
  const agent = agentOf(store, robot);
  const path = join(robot, 'site.json');
  const site = JSON.parse(readFileSync(path, 'utf8'));
  const key = Buffer.concat([Buffer.from('Ed'), Buffer.alloc(40, 7)]).toString('base64');
  writeFileSync(path, JSON.stringify({ ...site, trustedKeys: [key] }));
  await t.rejects(agent.answer(install, asking()), { code: 'E_BUNDLE_UNSIGNED' });
  writeFileSync(path, JSON.stringify(site));
  await t.rejects(agent.answer(install, asking()), { code: 'E_DEPLOY_LACKING' }, 'what was refused is not kept');
  t.match(await agentOf(store, robot).answer(install, asking()), { outcome: 'proposed' });
});

t.test('a disk that takes nothing does not hide why nothing was installed', async t => {
  const store = new FakeStore();
  const agent = agentOf(store);
  store.readOnly = true;
  await t.rejects(agent.answer(install, asking()), { message: /EROFS/ });
  t.notOk(store.did.includes('propose'));
});

t.test('a trial is told as it goes, without what was told before, to its end', async t => {
  const store = new FakeStore();
  const agent = agentOf(store);
  const { id } = await agent.answer(install, asking());
  store.driving = { digest: 'b'.repeat(64), sinceS: 3 };
  const events: string[] = [];
  const following = agent.answer({ kind: 'follow', id }, asking(events));
  for (const event of ['shadow', 'limited', 'full'] as const) {
    store.tell(event, id);
    store.tell(event, 'another');
    await new Promise(resolve => setTimeout(resolve, 250));
  }
  t.same(events, ['shadow', 'limited', 'full'], 'as they happen');
  store.trial = undefined;
  store.tell('committed', id);
  t.same(await following, { outcome: 'committed', words: 'committed' });
  t.same(events, ['shadow', 'limited', 'full', 'committed']);
});

t.test('where nobody drives the deployer does not wait', async t => {
  const store = new FakeStore();
  const agent = agentOf(store);
  const { id } = await agent.answer(install, asking());
  t.match(await agent.answer({ kind: 'follow', id }, asking()), { outcome: 'waiting', words: /next kit run/ });
  store.trial = undefined;
  await t.rejects(agent.answer({ kind: 'follow', id }, asking()), { code: 'E_DEPLOY_UNKNOWN' });
});

t.test('where the loop can’t try it the deployer is told at once, with the reason', async t => {
  const store = new FakeStore();
  store.driving = { digest: 'b'.repeat(64), sinceS: 3 };
  store.trial = { id: 'a', digest, phase: 'shadow', running: false, skip: {}, waits: 'another network' };
  const agent = new RobotAgent({ store: store.folder, robot: 'so101', openStore: () => store });
  t.same(await agent.answer({ kind: 'follow', id: 'a' }, asking()), { outcome: 'waiting', words: 'another network' });
});

t.test('a run that died while it tried the policy has failed it: whoever opens the store next finds that', async t => {
  const store = new FakeStore();
  store.driving = { digest, sinceS: 1 };
  let opened = 0;
  const openStore = () => {
    // The run has died meanwhile: opening the store ends its trial.
    if (++opened === 3) {
      const { id } = store.trial!;
      store.trial = undefined;
      store.driving = undefined;
      store.tell('rolled-back', id);
    }
    return store;
  };
  store.trial = { id: 'a', digest, phase: 'limited', running: true, skip: {} };
  const agent = new RobotAgent({ store: store.folder, robot: 'so101', openStore });
  t.match(await agent.answer({ kind: 'follow', id: 'a' }, asking()), { outcome: 'rolled-back' });
});

t.test('who follows no more is let go', async t => {
  const store = new FakeStore();
  const agent = agentOf(store);
  const { id } = await agent.answer(install, asking());
  store.driving = { digest, sinceS: 1 };
  const gone = new AbortController();
  const following = agent.answer({ kind: 'follow', id }, { onEvent: () => {}, signal: gone.signal });
  gone.abort();
  t.match(await following, { outcome: 'waiting' });
});

t.test('an operator goes back under the lock, with a reason', async t => {
  const store = new FakeStore();
  const rollback = { kind: 'rollback', reason: 'it shook', by: 'me' } as const;
  t.same(await agentOf(store).answer(rollback, asking()), { digest });
  t.same(store.did, ['lock me', 'rollback it shook me', 'unlock']);
});
