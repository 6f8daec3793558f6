import { join } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { type Request, requestSchema } from '../../src/agent/protocol.js';
import { type Asking, RobotAgent } from '../../src/agent/robot-agent.js';
import { serveMqtt } from '../../src/robot/mqtt-agent.js';
import { deployTopics, type RobotMessage, type RobotStatus } from '../../src/targets/mqtt-messages.js';
import { RunningBroker, until } from '../support/running-broker.js';

const broker = 'mqtt://broker.test';
const name = 'lab-3';
const topics = deployTopics(name);
const folder = t.testdir();

type Kind = RobotMessage['kind'];
const ofKind = <K extends Kind>(heard: readonly RobotMessage[], kind: K) =>
  heard.filter((said): said is Extract<RobotMessage, { kind: K }> => said.kind === kind);

/** An agent that counts what it is asked, on a broker of its own; and one who asks. */
async function serving(answer?: (request: Request, asking: Asking) => Promise<unknown>) {
  const running = new RunningBroker();
  const asked: Request[] = [];
  const agent = new RobotAgent({ store: join(folder, 'store'), robot: 'so101' });
  const own = agent.answer.bind(agent);
  Object.assign(agent, {
    answer: (request: Request, asking: Asking) => {
      asked.push(request);
      return answer === undefined ? own(request, asking) : answer(request, asking);
    },
  });
  const end = new AbortController();
  const said: string[] = [];
  const served = serveMqtt({
    agent,
    broker,
    name,
    connect: running.broker.connect,
    signal: end.signal,
    onEvent: what => said.push(what),
  });
  await until(() => said.length > 0);
  const { heard, connection } = await running.client(topics.answer);
  connection.publish(topics.request, { kind: 'open', session: 5, nonce: 9 });
  await until(() => heard.length > 0);
  const opened = ofKind(heard, 'opened').at(-1)!;
  const { boot, robotMs } = opened;
  const ask = (request: object, sequence: number, changes: object = {}, retained = false) =>
    connection.publish(
      topics.request,
      { kind: 'ask', boot, session: 5, sequence, untilMs: robotMs + 9000, seen: 0, request, ...changes },
      { retained },
    );
  const stop = async () => {
    end.abort();
    await served;
    await running.stop();
  };
  const statuses = () =>
    running.broker.published
      .filter(({ topic }) => topic === topics.status)
      .map(({ payload, retained }) => ({ ...(JSON.parse(payload) as RobotStatus), retained }));
  return { running, asked, heard, connection, ask, stop, statuses, opened, end, served };
}

t.test('a request that arrives often is done once, and answered each time', async t => {
  const it = await serving();
  for (let i = 0; i < 3; i++) it.ask({ kind: 'status' }, 1);
  await until(() => ofKind(it.heard, 'done').length > 0);
  it.ask({ kind: 'status' }, 1);
  await until(() => ofKind(it.heard, 'done').length > 1);
  t.same(it.asked, [{ kind: 'status' }]);
  for (const done of ofKind(it.heard, 'done')) t.match(done.answer, { robot: 'so101' });
  await it.stop();
});

t.test('what is retained, expired or meant for another life is not obeyed', async t => {
  const it = await serving();
  it.ask({ kind: 'status' }, 1, {}, true);
  it.ask({ kind: 'status' }, 1, { untilMs: it.opened.robotMs - 1 });
  it.ask({ kind: 'status' }, 1, { boot: it.opened.boot + 1 });
  it.ask({ kind: 'status' }, 1, { session: 6 });
  await until(() => ofKind(it.heard, 'refused').length === 3);
  t.same(
    ofKind(it.heard, 'refused').map(({ reason }) => reason),
    ['expired', 'boot', 'session'],
    'of a retained one nobody hears: who wrote it may be long gone',
  );
  t.same(it.asked, []);
  await until(() => it.statuses().some(said => said.state === 'online' && said.refused.retained === 1));
  t.pass('each is counted, where anybody can read it');
  await it.stop();
});

t.test('events that were lost come again with the next asking', async t => {
  const entry = { at: new Date(0).toISOString(), id: 'a', digest: 'a'.repeat(64), words: 'so', seconds: 1 };
  const it = await serving(async (_, { onEvent }) => {
    onEvent({ ...entry, event: 'shadow' });
    onEvent({ ...entry, event: 'committed' });
    return { outcome: 'committed', words: 'so' };
  });
  it.ask({ kind: 'follow', id: 'a' }, 1);
  await until(() => ofKind(it.heard, 'done').length === 1);
  it.ask({ kind: 'follow', id: 'a' }, 1, { seen: 1 });
  await until(() => ofKind(it.heard, 'done').length === 2);
  t.same(
    ofKind(it.heard, 'event').map(({ index, event }) => [index, event.event]),
    [
      [0, 'shadow'],
      [1, 'committed'],
      [1, 'committed'],
    ],
  );
  t.equal(ofKind(it.heard, 'done')[0]!.events, 2);
  await it.stop();
});

t.test('an error goes to who asked, and stays to be read until one succeeds', async t => {
  let fails = true;
  const it = await serving(async () => {
    if (fails) throw new KitError('E_BUNDLE_GOLDEN', 'it answers otherwise', 'do not run it');
    return { id: 'a', outcome: 'current' };
  });
  const install = requestSchema.parse({ kind: 'install', manifest: 'a'.repeat(64), skip: {}, by: 'me' });
  it.ask(install, 1);
  await until(() => ofKind(it.heard, 'done').length === 1);
  t.match(ofKind(it.heard, 'done')[0]!.error, { code: 'E_BUNDLE_GOLDEN', hint: 'do not run it', exit: 'failed' });
  const last = () => it.statuses().at(-1)!;
  await until(() => last().state === 'online' && 'lastError' in last());
  t.match(last(), { lastError: { code: 'E_BUNDLE_GOLDEN' }, health: 'no policy', retained: true });
  fails = false;
  it.ask(install, 2);
  await until(() => !('lastError' in last()));
  await it.stop();
  t.match(last(), { state: 'offline', reason: 'the agent was ended', retained: true });
});

t.test('a request that was refused, or came while somebody deploys, is no error of the robot', async t => {
  let code = 'E_ROLLBACK_NONE';
  const it = await serving(async () => {
    throw new KitError(code, 'not now', 'later');
  });
  it.ask({ kind: 'rollback', reason: 'it shook', by: 'me' }, 1);
  await until(() => ofKind(it.heard, 'done').length === 1);
  code = 'E_DEPLOY_BUSY';
  const install = requestSchema.parse({ kind: 'install', manifest: 'a'.repeat(64), skip: {}, by: 'me' });
  it.ask(install, 2);
  await until(() => ofKind(it.heard, 'done').length === 2);
  code = 'E_BUNDLE_ROBOT';
  it.ask(install, 3);
  const last = () => it.statuses().at(-1)!;
  await until(() => 'lastError' in last());
  const told = it.statuses().flatMap(status => ('lastError' in status ? [status.lastError?.code] : []));
  t.same([...new Set(told)], ['E_BUNDLE_ROBOT'], 'the first that is told is of a deployment');
  await it.stop();
});

t.test('who closes its session is let go', async t => {
  let gone = false;
  const it = await serving(async (_, { signal }) => {
    await new Promise(resolve => signal.addEventListener('abort', resolve));
    gone = true;
    return { outcome: 'waiting', words: 'so' };
  });
  it.ask({ kind: 'follow', id: 'a' }, 1);
  await until(() => it.asked.length === 1);
  it.connection.publish(topics.request, { kind: 'close', boot: it.opened.boot, session: 5 });
  await until(() => gone);
  it.ask({ kind: 'follow', id: 'a' }, 2);
  await until(() => ofKind(it.heard, 'refused').length === 1);
  t.equal(it.asked.length, 1);
  await it.stop();
});

t.test('one agent serves one name', async t => {
  const it = await serving();
  await t.rejects(
    serveMqtt({
      agent: new RobotAgent({ store: join(folder, 'store') }),
      broker,
      name,
      connect: it.running.broker.connect,
      signal: new AbortController().signal,
      onEvent: () => {},
    }),
    { code: 'E_SERVE_TWICE', exit: 'usage' },
  );
  t.notOk(
    it.statuses().some(({ state }) => state === 'offline'),
    'and the second does not say that the first is gone',
  );
  await it.stop();
});

t.test('after a broken link it says again how it is', async t => {
  const it = await serving();
  await until(() => it.statuses().length > 0);
  it.running.broker.cut(/kit-agent/);
  t.match(it.statuses().at(-1), { state: 'offline', reason: 'the connection broke off' });
  it.running.broker.mend();
  await until(() => it.statuses().at(-1)!.state === 'online');
  await it.stop();
});

t.test('a store that can not be read for a moment does not end the service', async t => {
  const running = new RunningBroker();
  const agent = new RobotAgent({ store: join(folder, 'unwell'), robot: 'so101' });
  const well = agent.status.bind(agent);
  let unwell = false;
  agent.status = async () => {
    if (unwell) throw new KitError('E_FILE_JSON', 'state.json is not JSON', 'mend it');
    return well();
  };
  const end = new AbortController();
  const said: string[] = [];
  const onEvent = (what: string) => void said.push(what);
  const served = serveMqtt({ agent, broker, name, connect: running.broker.connect, signal: end.signal, onEvent });
  const last = () =>
    JSON.parse(running.broker.published.filter(({ topic }) => topic === topics.status).at(-1)?.payload ?? '{}');
  await until(() => last().state === 'online');
  unwell = true;
  await until(() => last().lastError?.code === 'E_FILE_JSON');
  t.ok(said.some(what => what.includes('state.json is not JSON')));
  unwell = false;
  await until(() => last().state === 'online' && last().lastError === undefined);
  end.abort();
  await served;
  await running.stop();
});
