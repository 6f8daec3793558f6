/** What the embedded broker does not do, and what it does to those who ask for it: they alone are hung up on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import fc from 'fast-check';
import { generate, type ISubscription, type Packet } from 'mqtt-packet';
import t from 'tap';
import { startBroker } from '../../../src/rig/broker/start-broker.js';
import { MqttWire } from '../../support/mqtt-wire.js';

const topic = 'a/b';
const broker = await startBroker({}, 'embedded');
t.teardown(() => broker.stop());
/** Two who have nothing to do with what is done to the broker. */
const [writer, reader] = [await MqttWire.client(broker.url), await MqttWire.client(broker.url)];
t.teardown(() => [writer, reader].forEach(({ socket }) => void socket.destroy()));
await reader.subscribe(topic);

async function othersGoOn(): Promise<void> {
  const payload = `${Math.random()}`;
  writer.publish(topic, payload);
  await writer.published();
  const heard = (await reader.published()).map(message => message.payload.toString());
  if (!heard.includes(payload)) throw new Error('a message was lost');
}

t.test('another version of MQTT is refused in its own words, an unknown one without', async t => {
  for (const [bytes, answer] of [
    // CONNECT of MQTT 3.1.1 by hand: protocol name, version, flags, keep alive, client identifier. Its CONNACK: version not acceptable.
    ['10 0d 00 04 4d 51 54 54 04 02 00 00 00 01 61', '20020001'],
    ['10 0f 00 06 4d 51 49 73 64 70 03 02 00 00 00 01 61', '20020001'],
    ['10 0e 00 04 4d 51 54 54 06 02 00 00 00 00 01 61', ''],
  ] as const) {
    const { socket } = await MqttWire.open(broker.url);
    const heard: Buffer[] = [];
    socket.on('data', chunk => heard.push(chunk));
    socket.write(Buffer.from(bytes.replaceAll(' ', ''), 'hex'));
    await once(socket, 'close');
    t.equal(Buffer.concat(heard).toString('hex'), answer);
  }
  await othersGoOn();
});

t.test('what CONNACK says is not there is not there', async t => {
  const wire = await MqttWire.open(broker.url);
  wire.connect({ properties: { sessionExpiryInterval: 60 } });
  t.match(await wire.next('connack'), {
    sessionPresent: false,
    properties: {
      sessionExpiryInterval: 0,
      maximumQoS: 1,
      sharedSubscriptionAvailable: false,
      subscriptionIdentifiersAvailable: false,
    },
  });
  const subscriptions = ['$share/group/a', 'a/#/b', 'a'].map((topic): ISubscription => ({ topic, qos: 2 }));
  wire.send({ cmd: 'subscribe', messageId: 3, subscriptions });
  t.same((await wire.next('suback')).granted, [0x9e, 0x8f, 1]);
  wire.socket.destroy();

  const publish = { cmd: 'publish', topic, payload: 'x', qos: 0, retain: false, dup: false } as const;
  for (const [packet, reasonCode] of [
    [{ ...publish, qos: 2, messageId: 1 }, 0x9b],
    [{ ...publish, properties: { topicAlias: 1 } }, 0x94],
    [{ ...publish, topic: 'a/+' }, 0x90],
    [{ ...publish, topic: '' }, 0x90],
    [{ cmd: 'auth', reasonCode: 0x18 }, 0x82],
    [{ cmd: 'pingresp' }, 0x82],
  ] as const satisfies readonly (readonly [Packet, number])[]) {
    const wire = await MqttWire.client(broker.url);
    wire.send(packet);
    t.equal((await wire.next('disconnect')).reasonCode, reasonCode, `${packet.cmd}: 0x${reasonCode.toString(16)}`);
    await wire.closed();
  }
  const long = await MqttWire.client(broker.url);
  long.send({ ...publish, payload: Buffer.alloc(2 ** 24) });
  await long.closed();
  const willing = await MqttWire.open(broker.url);
  willing.connect({ will: { topic, payload: 'x', qos: 2, retain: false } });
  t.equal((await willing.next('connack')).reasonCode, 0x9b);
  await willing.closed();
  await othersGoOn();
});

t.test('whatever bytes somebody sends, the others go on', async () => {
  const packets: readonly Packet[] = [
    {
      cmd: 'publish',
      topic: 'c',
      payload: 'x',
      qos: 1,
      messageId: 5,
      retain: true,
      dup: false,
      properties: { messageExpiryInterval: 9 },
    },
    { cmd: 'subscribe', messageId: 6, subscriptions: [{ topic: '#', qos: 1 }] },
    { cmd: 'unsubscribe', messageId: 7, unsubscriptions: ['#'] },
    { cmd: 'puback', messageId: 8, reasonCode: 0 },
    {
      cmd: 'connect',
      protocolVersion: 5,
      clean: true,
      clientId: 'x',
      will: { topic: 'c', payload: 'x', qos: 1, retain: true },
    },
  ];
  const valid = packets.map(packet => generate(packet, { protocolVersion: 5 }));
  const spoilt = fc
    .tuple(fc.constantFrom(...valid), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }))
    .map(([bytes, changes]) => {
      const changed = Buffer.from(bytes);
      for (const [at, byte] of changes) changed[at % changed.length] = byte;
      return changed;
    });
  const anything = fc.oneof(
    spoilt,
    fc.uint8Array({ maxLength: 64 }).map(bytes => Buffer.from(bytes)),
  );
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(anything, { minLength: 1, maxLength: 4 }), async (connected, chunks) => {
      const wire = await (connected ? MqttWire.client(broker.url) : MqttWire.open(broker.url));
      wire.socket.end(Buffer.concat(chunks));
      await wire.closed();
      await othersGoOn();
    }),
    { numRuns: 300 },
  );
});

t.test('what could not be passed on is not retained either', async t => {
  // PUBLISH, retained, of `a/b`, by hand: when it expires is said twice; its response topic is longer than the packet.
  for (const [bytes, reasonCode] of [
    ['31 11 00 03 61 2f 62 0a 02 00 00 00 09 02 00 00 00 09 78', 0x82],
    ['31 0a 00 03 61 2f 62 03 08 00 ff 78', 0x81],
  ] as const) {
    const wire = await MqttWire.client(broker.url);
    wire.socket.write(Buffer.from(bytes.replaceAll(' ', ''), 'hex'));
    t.equal((await wire.next('disconnect')).reasonCode, reasonCode);
  }
  const late = await MqttWire.client(broker.url);
  await late.subscribe(topic);
  t.same(await late.published(), []);
  late.socket.destroy();
});

t.test('a client that takes nothing is cut off, before it costs the others anything', async t => {
  const deaf = await MqttWire.client(broker.url);
  await deaf.subscribe('much');
  deaf.socket.pause();
  const few = await MqttWire.client(broker.url, { properties: { receiveMaximum: 2 } });
  await few.subscribe('much', { qos: 1 });
  for (let n = 0; n < 5; n++) {
    few.publish('much', 'little', { qos: 1, messageId: 1 });
    const { messageId } = await few.next('publish');
    few.send({ cmd: 'puback', messageId: messageId! });
  }
  const payload = 'x'.repeat(500_000);
  for (let messageId = 1; messageId <= 100; messageId++) {
    writer.publish('much', payload, { qos: 1, messageId });
    await writer.next('puback');
  }
  await few.closed();
  t.equal(few.heard.filter(({ cmd }) => cmd === 'publish').length, 2, 'no more than it said that it takes');
  deaf.socket.resume();
  await deaf.closed();
  await othersGoOn();
});

t.test('it goes with its owner', async t => {
  const module = new URL('../../../src/rig/broker/start-broker.js', import.meta.url);
  const program = `import { startBroker } from '${module}'; console.log((await startBroker({}, 'embedded')).url);`;
  const folder = t.testdir({ 'owner.mjs': program });
  const owner = spawn(process.execPath, [join(folder, 'owner.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = (await once(owner.stdout.setEncoding('utf8'), 'data')) as [string];
  const wire = await MqttWire.client(url.trim());
  owner.kill('SIGKILL');
  await wire.closed();
  t.pass();
});
