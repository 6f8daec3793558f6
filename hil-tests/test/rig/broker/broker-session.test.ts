/** Packets that our own clients do not send, or do not show: what MQTT 5 says comes of them. Mosquitto, where it is, is asked the same. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { IConnectPacket } from 'mqtt-packet';
import t, { type Test } from 'tap';
import { type BrokerKind, brokerKinds, startBroker } from '../../../src/rig/broker/start-broker.js';
import { MqttWire } from '../../support/mqtt-wire.js';

const topic = 'a/b';

async function contract(t: Test, kind: BrokerKind): Promise<void> {
  const broker = await startBroker({}, kind);
  t.teardown(() => broker.stop());
  const client = async (t: Test, more: Partial<IConnectPacket> = {}) => {
    const wire = await MqttWire.client(broker.url, more);
    t.teardown(() => wire.socket.destroy());
    return wire;
  };

  await t.test('a message goes to each at the lesser of two QoS, once, and its publisher is answered', async t => {
    const [zero, one, two, writer] = [await client(t), await client(t), await client(t), await client(t)];
    t.same(await zero.subscribe(topic, { qos: 0 }), [0]);
    t.same(await one.subscribe('+/b'), [1]);
    await two.subscribe('#');
    await two.subscribe('c');
    writer.publish(topic, 'first', { qos: 1, messageId: 7 });
    t.match(await writer.next('puback'), { messageId: 7, reasonCode: 0 });
    writer.publish(topic, 'second');
    await writer.published();
    const got = async (wire: MqttWire) => (await wire.published()).map(({ payload, qos }) => [payload.toString(), qos]);
    const [asked, answered] = [['first', 'second'], await got(zero)];
    t.same(
      answered,
      asked.map(text => [text, 0]),
    );
    for (const wire of [one, two])
      t.same(await got(wire), [
        ['first', 1],
        ['second', 0],
      ]);
  });

  await t.test('no-local, retain as published, and when what is retained is sent', async t => {
    const [wire, raw] = [await client(t), await client(t)];
    const texts = async (wire: MqttWire) =>
      (await wire.published()).map(({ payload, retain }) => [payload.toString(), retain]);
    await wire.subscribe(topic, { nl: true });
    await raw.subscribe('a/#', { rap: true });
    wire.publish(topic, 'mine', { retain: true });
    t.same(await texts(wire), [], 'its own does not come back');
    t.same(await texts(raw), [['mine', true]]);
    const other = await client(t);
    await other.subscribe(topic, { rh: 2 });
    t.same(await texts(other), []);
    await other.subscribe(topic, { rh: 1 });
    t.same(await texts(other), [], 'it was subscribed before');
    await other.subscribe(topic, { rh: 0 });
    t.same(await texts(other), [['mine', true]]);
    other.publish(topic, 'again', { retain: true });
    t.same(await texts(other), [['again', false]], 'to a subscription that was there it comes as news');
    other.publish(topic, '', { retain: true });
    await other.published();
    await other.subscribe(topic, { rh: 0 });
    t.same(await texts(other), [], 'nothing is retained any longer');
  });

  await t.test('unsubscribed is unsubscribed', async t => {
    const wire = await client(t);
    await wire.subscribe(topic);
    wire.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: [topic, 'never'] });
    t.match(await wire.next('unsuback'), { messageId: 2, granted: [0, 0x11] });
    wire.publish(topic, 'nobody hears');
    t.same(await wire.published(), []);
  });

  await t.test('what is retained is passed on with the seconds that it has left, and its properties', async t => {
    const [writer, reader] = [await client(t), await client(t)];
    const properties = { messageExpiryInterval: 60, contentType: 'text', userProperties: { from: 'here' } };
    writer.publish(topic, 'for a minute', { retain: true, properties });
    await writer.published();
    await sleep(2100);
    await reader.subscribe(topic);
    const [message] = await reader.published();
    t.match(message!.properties, { contentType: 'text', userProperties: { from: 'here' } });
    const left = message!.properties!.messageExpiryInterval!;
    t.ok(left < 60 && left > 0, `${left} s`);
    writer.publish(topic, '', { retain: true });
    await writer.published();
  });

  await t.test('who comes under the same name takes over, after the last will of the other', async t => {
    const reader = await client(t);
    await reader.subscribe(topic, { rap: true });
    const will = { topic, payload: Buffer.from('gone'), qos: 1, retain: false } as const;
    const first = await client(t, { clientId: 'one', will });
    const second = await MqttWire.open(broker.url);
    t.teardown(() => second.socket.destroy());
    const connect = { cmd: 'connect', protocolVersion: 5, clean: true, clientId: 'one' } as const;
    second.send(connect, { cmd: 'publish', topic, payload: 'here', qos: 0, retain: false, dup: false });
    await second.next('connack');
    await first.closed();
    // 3.1.4-3: that it is told why. Mosquitto 2.0.11 hangs up without a word.
    if (kind === 'embedded') t.match(first.heard, [{ cmd: 'disconnect', reasonCode: 0x8e }]);
    t.same(
      (await reader.published()).map(({ payload }) => payload.toString()),
      ['gone', 'here'],
    );
    await second.subscribe(topic);
    second.publish(topic, 'still here');
    t.equal((await second.published()).length, 1);
  });

  await t.test('who is silent for longer than it said is gone', async t => {
    const reader = await client(t);
    await reader.subscribe(topic);
    const will = { topic, payload: Buffer.from('silent'), qos: 0, retain: false } as const;
    const silent = await client(t, { keepalive: 1, will });
    const speaks = await client(t, { keepalive: 1 });
    const pinging = setInterval(() => speaks.send({ cmd: 'pingreq' }), 300);
    t.teardown(() => clearInterval(pinging));
    await silent.closed();
    t.match(await reader.next('publish'), { payload: Buffer.from('silent') });
    t.equal((await speaks.published()).length, 0, 'who speaks is still there');
  });

  await t.test('a goodbye that asks for the last will has it published', async t => {
    const reader = await client(t);
    await reader.subscribe(topic);
    const will = { topic, payload: Buffer.from('with will'), qos: 0, retain: false } as const;
    const leaves = await client(t, { will });
    const late = { cmd: 'publish', topic, payload: 'after the goodbye', qos: 0, retain: false, dup: false } as const;
    leaves.send({ cmd: 'disconnect', reasonCode: 4 }, late);
    await leaves.closed();
    t.same(
      (await reader.published()).map(({ payload }) => payload.toString()),
      ['with will'],
    );
  });

  await t.test('who has no name is given one', async t => {
    const wire = await MqttWire.open(broker.url);
    t.teardown(() => wire.socket.destroy());
    wire.connect({ clientId: '' });
    t.match((await wire.next('connack')).properties, { assignedClientIdentifier: /./ });
  });

  await t.test('who does not begin with CONNECT, or says it twice, is hung up on', async t => {
    const early = await MqttWire.open(broker.url);
    early.publish(topic, 'too early');
    await early.closed();
    const twice = await client(t);
    twice.connect();
    await twice.closed();
  });
}

/** Whoever names himself is believed, as by any broker without a list of passwords. */
async function listed(t: Test, kind: BrokerKind): Promise<void> {
  const acl = `user writer\ntopic write open/#\ntopic deny open/door\nuser reader\ntopic read open/#\n`;
  const broker = await startBroker({ acl }, kind);
  t.teardown(() => broker.stop());
  const as = async (username: string, more: Partial<IConnectPacket> = {}) => {
    const wire = await MqttWire.client(broker.url, { username, password: Buffer.from('any'), ...more });
    t.teardown(() => wire.socket.destroy());
    return wire;
  };
  const [writer, reader, stranger] = [await as('writer'), await as('reader'), await as('stranger')];
  for (const wire of [reader, stranger]) t.same(await wire.subscribe('#'), [1], 'subscribing is not what is denied');
  const will = { topic: 'open/door', payload: Buffer.from('will'), qos: 0, retain: true } as const;
  const gone = await as('writer', { will });
  gone.socket.destroy();
  for (const [i, topic] of ['open/window', 'open/door', 'shut'].entries()) {
    writer.publish(topic, 'quietly', { retain: true });
    writer.publish(topic, 'aloud', { qos: 1, messageId: i + 1 });
    const { reasonCode } = await writer.next('puback');
    t.equal(reasonCode, topic === 'open/window' ? 0 : 0x87, topic);
  }
  t.same(
    (await reader.published()).map(({ topic, payload }) => [topic, payload.toString()]),
    [
      ['open/window', 'quietly'],
      ['open/window', 'aloud'],
    ],
  );
  t.same(await stranger.published(), []);
  await stranger.subscribe('open/+');
  t.same(await stranger.published(), [], 'nor what is retained');
}

for (const kind of brokerKinds) t.test(`an access list (${kind})`, t => listed(t, kind));
for (const kind of brokerKinds) t.test(`what a client may do (${kind})`, t => contract(t, kind));
