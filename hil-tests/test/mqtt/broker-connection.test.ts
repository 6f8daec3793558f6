/** Our client against each real broker that this machine has: who gets in, what is said to whoever does not, and what a broker passes on. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type BrokerConnection,
  type BrokerMessage,
  type ConnectOptions,
  connectBroker,
} from '@sim2servo/firmware-bridge/mqtt/broker-connection';
import type { KitError } from '@sim2servo/models/error';
import t, { type Test } from 'tap';
import { type BrokerKind, brokerKinds, startBroker } from '../../src/rig/broker/start-broker.js';
import { Authority, hasOpenssl } from '../../src/rig/certificates.js';
import { freePort } from '../../src/rig/free-port.js';

/** Those who connected, each with what it heard. */
async function client(t: Test, options: Partial<ConnectOptions> & Pick<ConnectOptions, 'broker'>) {
  const heard: BrokerMessage[] = [];
  const changes: (KitError | undefined)[] = [];
  const connection = await connectBroker({
    clientId: `test-${Math.random()}`,
    subscribe: ['kit/v1/desk2/status'],
    reconnect: false,
    onMessage: message => heard.push(message),
    onChange: gone => changes.push(gone),
    ...options,
  });
  t.teardown(() => connection.close());
  return { connection, heard, changes };
}

async function until(what: () => boolean): Promise<void> {
  for (const since = performance.now(); performance.now() - since < 5000; await sleep(5)) if (what()) return;
  throw new Error('it did not happen within 5 s');
}

/** Comes back once everything sent before has passed the broker. */
async function passed(connection: BrokerConnection, heard: BrokerMessage[], topic: string): Promise<void> {
  const marker = `passed ${Math.random()}`;
  await until(() => connection.publish(topic, { marker }));
  await until(() => heard.some(({ payload }) => payload.includes(marker)));
}

async function onPlainBroker(t: Test, kind: BrokerKind): Promise<void> {
  const broker = await startBroker({}, kind);
  t.teardown(() => broker.stop());
  const topic = 'kit/v1/desk2/command';

  await t.test(
    'a message arrives with the flag that says whether it was retained, also as it is published',
    async t => {
      const reader = await client(t, { broker: broker.url, subscribe: [topic] });
      const writer = await client(t, { broker: broker.url, subscribe: [] });
      t.ok(writer.connection.publish(topic, { n: 1 }));
      t.ok(writer.connection.publish(topic, { n: 2 }, { retained: true }));
      await until(() => reader.heard.length === 2);
      t.same(
        reader.heard.map(({ payload, retained }) => [JSON.parse(payload), retained]),
        [
          [{ n: 1 }, false],
          [{ n: 2 }, true],
        ],
      );
      const late = await client(t, { broker: broker.url, subscribe: [topic] });
      await until(() => late.heard.length === 1);
      t.match(
        late.heard[0],
        { payload: '{"n":2}', retained: true },
        'who comes later gets what was retained, nothing else',
      );
    },
  );

  await t.test('what is retained for a while is not there for ever', async t => {
    const writer = await client(t, { broker: broker.url, subscribe: [] });
    const of = (name: string) => `kit/v1/desk2/${name}`;
    writer.connection.publish(of('short'), { n: 1 }, { retained: true, expiresS: 1 });
    writer.connection.publish(of('long'), { n: 2 }, { retained: true, expiresS: 60 });
    const soon = await client(t, { broker: broker.url, subscribe: [of('short'), of('long')] });
    await until(() => soon.heard.length === 2);
    // A broker counts whole seconds.
    await sleep(3000);
    const late = await client(t, { broker: broker.url, subscribe: [of('short'), of('long')] });
    await passed(writer.connection, late.heard, of('long'));
    t.same(
      late.heard.filter(({ payload }) => !payload.includes('passed')).map(({ topic }) => topic),
      [of('long')],
    );
  });

  await t.test('what is sent while the broker is away is not sent when it is back', async t => {
    const writer = await client(t, { broker: broker.url, subscribe: [], reconnect: true });
    const reader = await client(t, { broker: broker.url, subscribe: [topic], reconnect: true });
    await broker.kill();
    await until(() => writer.changes.length > 0);
    t.match(writer.changes[0], { code: 'E_BROKER_LOST' });
    t.notOk(writer.connection.publish(topic, { n: 'lost' }));
    t.notOk(writer.connection.publish(topic, { n: 'lost' }, { retained: true }));
    await broker.resume();
    await until(() => [writer, reader].every(({ changes }) => changes.at(-1) === undefined && changes.length > 1));
    await passed(writer.connection, reader.heard, topic);
    t.notOk(reader.heard.some(({ payload }) => payload.includes('lost')));
  });

  await t.test('a client that goes without a word leaves its last will, one that says goodbye does not', async t => {
    const reader = await client(t, { broker: broker.url });
    const will = (state: string) => ({ topic: 'kit/v1/desk2/status', payload: { state } });
    const polite = await client(t, { broker: broker.url, will: will('polite') });
    await polite.connection.close();
    // A second client of the same id: the broker drops the first as if its cable had been pulled.
    const dropped = await client(t, { broker: broker.url, clientId: 'one', will: will('dropped') });
    await client(t, { broker: broker.url, clientId: 'one' });
    await until(() => dropped.changes.length > 0 && reader.heard.length > 0);
    t.match(dropped.changes[0], { code: 'E_BROKER_LOST' });
    t.same(
      reader.heard.map(({ payload }) => payload),
      ['{"state":"dropped"}'],
    );
  });

  await t.test('TLS on its port is refused in words', async t => {
    await t.rejects(client(t, { broker: broker.url.replace('mqtt:', 'mqtts:') }), {
      code: 'E_BROKER_LOST',
      hint: /use mqtt:/,
    });
  });
}

t.test('a port on which something else answers', async t => {
  const server = createServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  await t.rejects(client(t, { broker: `mqtts://127.0.0.1:${port}` }), {
    code: 'E_BROKER_TLS',
    message: `port ${port} of 127.0.0.1 does not speak TLS`,
  });
  await t.rejects(client(t, { broker: `mqtt://127.0.0.1:${port}` }), { code: 'E_BROKER_LOST' });
});

t.test('an address at which nobody is', async t => {
  const port = await freePort();
  await t.rejects(client(t, { broker: `mqtt://user:secret@127.0.0.1:${port}` }), {
    code: 'E_BROKER_CONNECT',
    exit: 'noDevice',
    message: `nothing listens on port ${port} of 127.0.0.1`,
  });
  await t.rejects(client(t, { broker: 'mqtt://no-such-host.invalid' }), {
    code: 'E_BROKER_CONNECT',
    message: /there is no host 'no-such-host.invalid'/,
  });
  await t.rejects(client(t, { broker: 'mqtts://127.0.0.1', ca: '/no/such/ca.pem' }), { code: 'E_BROKER_FILE' });
});

async function onTlsBroker(t: Test, kind: BrokerKind): Promise<void> {
  const folder = t.testdir({});
  const ours = new Authority(folder, 'ours');
  const theirs = new Authority(folder, 'theirs');
  const documented = readFileSync(fileURLToPath(new URL('../../../../docs/mqtt.md', import.meta.url)), 'utf8');
  const acl = [...documented.matchAll(/```acl\n([\s\S]*?)```/g)].map(([, list]) => list).join('\n');
  const tls = { ...ours.sign('broker'), ca: ours.ca };
  const broker = await startBroker({ tls, acl }, kind);
  t.teardown(() => broker.stop());
  const as = (name: string) => ({ broker: broker.url, ca: ours.ca, ...ours.sign(name) });

  const bridge = await client(t, { ...as('desk2-bridge'), subscribe: ['kit/v1/desk2/command', 'kit/v1/desk2/stop'] });
  const host = await client(t, { ...as('desk2-host'), subscribe: ['kit/v1/desk2/state', 'kit/v1/desk2/answer'] });
  const dashboard = await client(t, { ...as('dashboard'), subscribe: ['kit/v1/desk2/telemetry'] });

  await t.test('each may do what it needs', async () => {
    await passed(host.connection, bridge.heard, 'kit/v1/desk2/command');
    await passed(dashboard.connection, bridge.heard, 'kit/v1/desk2/stop');
    await passed(bridge.connection, host.heard, 'kit/v1/desk2/state');
    await passed(bridge.connection, host.heard, 'kit/v1/desk2/answer');
    await passed(bridge.connection, dashboard.heard, 'kit/v1/desk2/telemetry');
  });

  await t.test('a dashboard can not move the arm', async t => {
    t.ok(dashboard.connection.publish('kit/v1/desk2/command', { move: true }), 'a broker denies silently');
    await passed(dashboard.connection, bridge.heard, 'kit/v1/desk2/stop');
    t.notOk(bridge.heard.some(({ payload }) => payload.includes('move')));
  });

  const refused = { code: 'E_BROKER_TLS', exit: 'usage' };
  await t.test('a certificate of another authority is refused in one sentence', async t => {
    const stranger = theirs.sign('stranger');
    const { broker: url, ca } = as('nobody');
    // Node's TLS hangs up without the alert that says so.
    await t.rejects(
      client(t, { broker: url, ca, ...stranger }),
      kind === 'embedded'
        ? { code: 'E_BROKER_LOST', hint: /another certificate/ }
        : { ...refused, message: /does not accept our certificate/ },
    );
    await t.rejects(client(t, { broker: url, ca }), { ...refused, message: /wants a client certificate/ });
    await t.rejects(client(t, { ...as('nobody'), ca: theirs.ca }), {
      ...refused,
      message: /not vouched for by .*theirs/,
    });
    await t.rejects(client(t, { broker: url.replace('mqtts:', 'mqtt:') }), { code: 'E_BROKER_LOST', hint: /mqtts:/ });
    await t.rejects(client(t, { ...as('nobody'), key: stranger.key }), { code: 'E_BROKER_FILE', message: /mismatch/ });
  });
}

for (const kind of brokerKinds) {
  t.test(`on a plain broker (${kind})`, t => onPlainBroker(t, kind));
  const name = `with TLS, client certificates and the access list of docs/mqtt.md (${kind})`;
  if (hasOpenssl) t.test(name, t => onTlsBroker(t, kind));
  else t.comment(`${name}: not tested, as openssl is not installed`);
}
