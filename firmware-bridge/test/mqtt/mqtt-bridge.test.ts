/** Host and bridge together, in virtual time: times here are exact. */
import type { Command, StateMessage } from '@sim2servo/models/bridge-messages';
import { topicsOf } from '@sim2servo/models/bridge-messages';
import { KitError } from '@sim2servo/models/error';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t, { type Test } from 'tap';
import { MemoryBroker } from '../../src/mqtt/memory-broker.js';
import { runBridge } from '../../src/mqtt/mqtt-bridge.js';
import { MqttLink } from '../../src/mqtt/mqtt-link.js';
import { SharedClock } from '../../src/mqtt/shared-clock.js';
import { createServoState, type ServoMotion } from '../../src/servo-link.js';
import { VirtualBus } from '../support/virtual-bus.js';

const robot = loadRobot('desk2');
const topics = topicsOf('desk2');
const address = { broker: 'mqtt://memory' };
const deadlineMs = 100;

interface Bench {
  readonly clock: SharedClock;
  readonly broker: MemoryBroker;
  readonly bus: VirtualBus;
  readonly events: string[];
  readonly end: AbortController;
  readonly bridge: Promise<unknown>;
}

/** A bridge that serves. */
async function bench(t: Test, busOptions: { streams?: boolean; deadlineMs?: number } = {}): Promise<Bench> {
  const clock = new SharedClock();
  const broker = new MemoryBroker(clock);
  const bus = new VirtualBus(clock, busOptions);
  const events: string[] = [];
  const end = new AbortController();
  const bridge = startBridge(clock, broker, bus, events, end.signal);
  bridge.catch(() => {});
  t.teardown(() => {
    end.abort();
    return clock.during(bridge.catch(() => {}));
  });
  await clock.pass(600_000);
  return { clock, broker, bus, events, end, bridge };
}

function startBridge(
  clock: SharedClock,
  broker: MemoryBroker,
  bus: VirtualBus,
  events: string[],
  signal: AbortSignal,
  sampleHz = 50,
) {
  return runBridge({
    robot,
    link: bus,
    clock,
    name: 'desk2',
    address,
    deadlineMs,
    sampleHz,
    signal,
    onEvent: what => events.push(what),
    connect: broker.connect,
  });
}

function hostOn({ clock, broker }: Bench, over: Partial<ConstructorParameters<typeof MqttLink>[0]> = {}): MqttLink {
  const { spec, specSha256 } = robot;
  return new MqttLink({
    clock,
    spec,
    specSha256,
    name: 'desk2',
    deadlineMs,
    address,
    connect: broker.connect,
    ...over,
  });
}

const state = createServoState(2);

/** A host that has armed and moves the shoulder a little each sample, for `ticks` of them. */
async function drive(b: Bench, motion: ServoMotion, ticks = 20): Promise<void> {
  for (let i = 0; i < ticks; i++) {
    await b.clock.during(motion.read(state, 40_000));
    motion.write(Float64Array.of(state.position[0]! + 0.01, state.position[1]!));
  }
}

async function drivenBench(t: Test, busOptions: { streams?: boolean; deadlineMs?: number } = {}) {
  const b = await bench(t, busOptions);
  const motion = await b.clock.during(hostOn(b).open());
  await b.clock.during(motion.read(state, 40_000));
  await b.clock.during(motion.arm());
  await drive(b, motion);
  return { b, motion };
}

const commandsSent = (b: Bench) =>
  b.broker.published
    .filter(({ topic }) => topic === topics.command)
    .map(({ payload }) => JSON.parse(payload) as Command);
const lastState = (b: Bench) =>
  JSON.parse(b.broker.published.findLast(({ topic }) => topic === topics.state)!.payload) as StateMessage;
const refusedCounts = (b: Bench) =>
  JSON.parse(b.broker.published.findLast(({ topic }) => topic === topics.telemetry)!.payload).refused;
/** Where the bus was last told to go somewhere else, and when it was told to hold. */
function stopOf(bus: VirtualBus) {
  const { told } = bus;
  let changedUs = 0;
  for (const [i, { timeUs, what }] of told.entries())
    if (Array.isArray(what) && JSON.stringify(what) !== JSON.stringify(told[i - 1]?.what)) changedUs = timeUs;
  return { changedUs, heldUs: told.findLast(({ what }) => what === 'hold')?.timeUs ?? Number.NaN };
}

for (const streams of [true, false])
  t.test(`a round trip through a bridge in front of a bus that ${streams ? 'streams' : 'is asked'}`, async t => {
    const { b, motion } = await drivenBench(t, { streams });
    t.equal(state.device, 'armed');
    t.ok(b.bus.position[0]! > 0.25, `the shoulder went from 0.1 to ${b.bus.position[0]} rad`);
    t.equal(state.periodUs, 20_000, 'the loop has a period to lock to');
    t.ok(b.clock.nowUs() - state.sampledAtUs < 40_000, 'the sample is of now, on the host’s clock');
    t.equal(state.roundTripUs, 2000, 'two ways of 1 ms');
    t.equal(state.linkErrors, 0);
    await b.clock.during(motion.halt('hold'));
    t.equal(b.bus.device, 'held');
  });

t.test(
  'samples that the bus cannot give, or that no command outlives, are refused before anybody hears of us',
  async t => {
    const clock = new SharedClock();
    const broker = new MemoryBroker(clock);
    const end = AbortSignal.abort();
    const start = (sampleHz: number, bus = new VirtualBus(clock, { streams: false })) =>
      clock.during(startBridge(clock, broker, bus, [], end, sampleHz));
    const asked = new VirtualBus(clock, { streams: false });
    await t.rejects(start(5000, asked), {
      code: 'E_RATE_BUS',
      message: /^5000 ticks a second leave 200 µs each, and this bus needs 3000 µs/,
      hint: /^take at most 266 Hz/,
    });
    t.ok(asked.closed);
    t.same(broker.published, []);
    for (const hz of [2, 1000 / deadlineMs])
      await t.rejects(start(hz), { code: 'E_RATE_DEADLINE', exit: 'usage', hint: /more than 10,/ }, `${hz} Hz`);
    for (const hz of [11, 266]) await start(hz);
    for (const hz of [2, 5000]) await start(hz, new VirtualBus(clock));
  },
);

t.test('nothing is armed or written until a host arms', async t => {
  const b = await bench(t);
  const motion = await b.clock.during(hostOn(b).open());
  await b.clock.during(motion.read(state, 40_000));
  t.equal(state.device, 'limp');
  t.throws(() => motion.write(Float64Array.of(0, 0)), { code: 'E_NOT_ARMED' });
  await b.clock.pass(1_000_000);
  t.same(b.bus.told, []);
});

t.test(
  'an arm that is moved while it is armed is told first to stay where it was armed, by bridge and host',
  async t => {
    const b = await bench(t);
    const motion = await b.clock.during(hostOn(b).open());
    const arm = b.bus.arm.bind(b.bus);
    b.bus.arm = () => {
      b.bus.position[0] = 0.3;
      return arm();
    };
    const stay = await b.clock.during(motion.arm());
    const { told } = b.bus;
    t.same(told[told.findIndex(({ what }) => what === 'arm') + 1]!.what, [0.3, 1]);
    t.same([...stay], [0.3, 1]);
  },
);

t.test('what goes wrong with the arming on the robot is said to the host in its words', async t => {
  const b = await bench(t);
  b.bus.position[0] = 2.5;
  const motion = await b.clock.during(hostOn(b).open());
  await t.rejects(b.clock.during(motion.arm()), {
    code: 'E_ARM_REFUSED',
    message: /outside its range/,
    hint: /move it back/,
  });
  t.same(b.bus.told, []);
});

t.test('commands that are late for a while do not let the bus’s own deadline run out', async t => {
  const { b, motion } = await drivenBench(t, { deadlineMs: 45 });
  b.broker.delayUs = topic => (topic === topics.command ? 70_000 : 1000);
  await drive(b, motion, 10);
  t.equal(b.bus.device, 'armed', 'the bridge repeats the last target meanwhile');
});

t.test(
  'the host is killed: nothing moves any more, and the arm is held within the deadline of the last command',
  async t => {
    const { b } = await drivenBench(t);
    await b.clock.pass(2000);
    const killedUs = b.clock.nowUs();
    await b.clock.pass(500_000);
    const { changedUs, heldUs } = stopOf(b.bus);
    t.ok(changedUs <= killedUs, 'the target never changed again');
    t.ok(heldUs - killedUs <= deadlineMs * 1000, `held ${(heldUs - killedUs) / 1000} ms after`);
    t.equal(b.bus.device, 'held');
    t.match(lastState(b), { device: 'latched', reason: 'no command of the host came in time', session: 0 });
  },
);

t.test('a host that was frozen finds the arm latched, and cannot go on', async t => {
  const { b, motion } = await drivenBench(t);
  await b.clock.pass(300_000);
  await drive(b, motion, 10);
  t.match(state, { device: 'latched', reason: 'no command of the host came in time' });
  t.equal(b.bus.device, 'held');
  await b.clock.pass(1_100_000);
  t.ok(refusedCounts(b).session >= 9, 'its motion is of a session that is over');
});

t.test('the broker goes: the bridge holds at once; it comes back: nothing moves until somebody arms', async t => {
  const { b, motion } = await drivenBench(t);
  b.broker.cut(/./);
  const cutUs = b.clock.nowUs();
  await b.clock.pass(50_000);
  const { heldUs } = stopOf(b.bus);
  t.ok(heldUs - cutUs <= 20_000, `held ${(heldUs - cutUs) / 1000} ms after it went: one sample of the bus at most`);
  await t.rejects(motion.read(state, 40_000), { code: 'E_BROKER_LOST' }, 'the host’s run ends');
  b.broker.mend();
  const { length } = b.bus.told;
  await b.clock.pass(2_000_000);
  t.equal(b.bus.told.length, length);
  t.match(b.events.slice(-3), [/no connection .* nobody can move the arm/, /holds the arm/, /the broker is back/]);
  const again = await b.clock.during(hostOn(b).open());
  await b.clock.during(again.arm());
  await drive(b, again, 3);
  t.equal(state.device, 'armed', 'an arming leads out');
});

t.test('the bridge is killed: its last will ends the host’s run, and the bus’s own deadline holds the arm', async t => {
  const { b, motion } = await drivenBench(t);
  b.bus.failure = new KitError('E_PORT_CLOSED', 'the port has gone', '', 'noDevice');
  await t.rejects(b.clock.during(b.bridge), { code: 'E_PORT_CLOSED' });
  await b.clock.pass(2000);
  await t.rejects(motion.read(state, 40_000), { code: 'E_BRIDGE_GONE', message: /the port has gone/ });
  await b.clock.pass(60_000);
  t.equal(b.bus.device, 'latched');
  t.ok(b.bus.closed);
  t.ok(b.events.some(event => /the hold failed: .*; when nobody speaks: the board holds/.test(event)));
});

t.test('a bridge that was restarted does not obey what was meant for the one before', async t => {
  const { b, motion } = await drivenBench(t);
  const old = commandsSent(b).at(-1)!;
  b.end.abort();
  await b.clock.during(b.bridge);
  t.equal(b.bus.device, 'held', 'ended on purpose, it holds first');
  const bus = new VirtualBus(b.clock);
  const end = new AbortController();
  const bridge = startBridge(b.clock, b.broker, bus, [], end.signal);
  await b.clock.pass(600_000);
  b.broker.publish(topics.command, JSON.stringify({ ...old, sampleUs: lastState(b).sampleUs, sequence: 999 }));
  await b.clock.pass(1_100_000);
  t.equal(refusedCounts(b).boot, 1);
  t.same(bus.told, []);
  await t.rejects(motion.read(state, 40_000), { code: 'E_BRIDGE_GONE' });
  end.abort();
  await b.clock.during(bridge);
});

t.test('replayed, old, retained and foreign commands move nothing, and are counted by reason', async t => {
  const { b, motion } = await drivenBench(t);
  const last = commandsSent(b).at(-1)!;
  const far = { ...last, targetsRad: [1.5, 2.5] };
  await b.clock.pass(5000);
  const inject = (command: object, retained = false) =>
    b.broker.publish(topics.command, JSON.stringify(command), retained);
  inject(far);
  inject({ ...far, sequence: last.sequence + 1000, sampleUs: last.sampleUs - 200_000 });
  inject({ ...far, sequence: last.sequence + 1000, session: last.session === 1 ? 2 : 1 });
  inject({ ...far, sequence: last.sequence + 1000 }, true);
  inject({ kind: 'hello' });
  await b.clock.pass(3000);
  await drive(b, motion, 60);
  t.equal(state.device, 'armed', 'the host that has the arm goes on');
  t.ok(
    b.bus.told.every(({ what }) => typeof what === 'string' || what[0]! < 1.4),
    'the arm was never told to go there',
  );
  t.match(refusedCounts(b), { sequence: 1, stale: 1, session: 1, retained: 1, malformed: 1 });
  t.ok(state.linkErrors >= 5);
  t.ok(b.events.some(event => /mosquitto_pub -r -n -t kit\/v1\/desk2\/command/.test(event)));
});

t.test('a second host is refused while the first one has the arm, and cannot hold or drop it', async t => {
  const { b, motion } = await drivenBench(t);
  const second = await during(b, motion, hostOn(b).open());
  await t.rejects(during(b, motion, second.arm()), {
    code: 'E_ARM_REFUSED',
    message: /another host has the arm: .*process/,
  });
  for (const kind of ['hold', 'relax'] as const)
    await t.rejects(during(b, motion, second.halt(kind)), { code: 'E_HALT_REFUSED', message: /another host/ });
  await drive(b, motion, 5);
  t.equal(state.device, 'armed');
  await b.clock.during(motion.halt('hold'));
  await b.clock.during(second.arm());
  await drive(b, second, 3);
  t.equal(state.device, 'armed', 'then it is its turn');
});

/** What comes of `work` while the first host goes on driving. */
async function during<T>(b: Bench, motion: ServoMotion, work: Promise<T>): Promise<T> {
  let over = false;
  const end = () => {
    over = true;
  };
  work.then(end, end);
  while (!over) await drive(b, motion, 1);
  return work;
}

t.test('anything on the stop topic holds the arm, whoever sends it; what was retained there does not', async t => {
  const { b, motion } = await drivenBench(t);
  b.broker.publish(topics.stop, 'hold', true);
  await drive(b, motion, 5);
  t.equal(state.device, 'armed');
  b.broker.publish(topics.stop, '');
  await drive(b, motion, 3);
  t.equal(b.bus.device, 'held');
  t.match(state, { device: 'latched', reason: /somebody asked for it on kit\/v1\/desk2\/stop/ });
});

t.test('an arming that waits for its turn is void after a stop', async t => {
  const b = await bench(t);
  const motion = await b.clock.during(hostOn(b).open());
  b.broker.delayUs = topic => {
    if (topic === topics.command) b.broker.publish(topics.stop, '');
    return topic === topics.stop ? 2000 : 1000;
  };
  await t.rejects(b.clock.during(motion.arm()), { code: 'E_ARM_REFUSED', message: /somebody asked to hold/ });
  await b.clock.pass(500_000);
  t.same(b.bus.told, []);
});

t.test('an answer that was lost is asked for again, and arming twice is once', async t => {
  const b = await bench(t);
  const motion = await b.clock.during(hostOn(b).open());
  let lost = 0;
  b.broker.delayUs = topic => (topic === topics.answer && lost++ === 0 ? undefined : 1000);
  await t.rejects(b.clock.during(motion.arm()), { code: 'E_ARM_REFUSED' }, 'its time ran out meanwhile');
  t.equal(b.bus.device, 'held', 'nobody was left to move it');
  await b.clock.during(motion.arm());
  await drive(b, motion, 3);
  t.equal(state.device, 'armed');
});

t.test('no bridge, an offline one, and one with another robot are three sentences', async t => {
  const clock = new SharedClock();
  const broker = new MemoryBroker(clock);
  const nobody = { clock, broker } as Bench;
  await t.rejects(clock.during(hostOn(nobody).open()), { code: 'E_NO_BRIDGE', message: /kit\/v1\/desk2\/status/ });
  broker.publish(topics.status, JSON.stringify({ state: 'offline', boot: 1, reason: 'it was ended' }), true);
  await t.rejects(clock.during(hostOn(nobody).open()), { code: 'E_BRIDGE_GONE', message: /offline: it was ended/ });
  const b = await bench(t);
  await t.rejects(b.clock.during(hostOn(b, { specSha256: 'another' }).open()), {
    code: 'E_BRIDGE_ROBOT',
    message: /serves desk2 with joints shoulder, elbow/,
  });
  await t.rejects(b.clock.during(hostOn(b, { name: 'desk3' }).open()), { code: 'E_NO_BRIDGE', message: /desk3/ });
});

t.test('a second bridge of the same name is refused, and the first goes on', async t => {
  const { b, motion } = await drivenBench(t);
  const second = new VirtualBus(b.clock);
  const bridge = startBridge(b.clock, b.broker, second, [], new AbortController().signal);
  await t.rejects(during(b, motion, bridge), {
    code: 'E_BRIDGE_TWICE',
    message: /another bridge serves kit\/v1\/desk2/,
  });
  t.same(second.told, []);
  t.ok(second.closed);
  await drive(b, motion, 5);
  t.equal(state.device, 'armed');
});

t.test('of two bridges that find each other one goes, and holds its arm', async t => {
  for (const [other, code] of [
    [0, 'E_BRIDGE_TWICE'],
    [0xffff_ffff, undefined],
  ] as const) {
    const { b, motion } = await drivenBench(t);
    b.broker.publish(topics.state, JSON.stringify({ ...lastState(b), boot: other }));
    if (code === undefined) await drive(b, motion, 5);
    else await t.rejects(b.clock.during(b.bridge), { code });
    t.equal(b.bus.device, code === undefined ? 'armed' : 'held');
  }
});

t.test('telemetry once a second, and a message for Home Assistant where it is asked for', async t => {
  const b = await bench(t);
  await b.clock.pass(3_000_000);
  const telemetry = b.broker.published.filter(({ topic }) => topic === topics.telemetry);
  t.ok(telemetry.length >= 3 && telemetry.length <= 4, `${telemetry.length} in 3.1 s`);
  t.match(JSON.parse(telemetry.at(-1)!.payload), {
    device: 'limp',
    positionRad: { shoulder: 0.1, elbow: 1 },
    host: '',
  });
  t.notOk(b.broker.published.some(({ topic }) => topic.startsWith('homeassistant')));
});
