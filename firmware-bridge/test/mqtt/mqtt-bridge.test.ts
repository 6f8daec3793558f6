/** How an arm behind a broker is driven, and what stops it. */
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { MemoryBroker } from '../../src/mqtt/memory-broker.js';
import { SharedClock } from '../../src/mqtt/shared-clock.js';
import {
  bench,
  commandsSent,
  deadlineMs,
  drive,
  drivenBench,
  hostOn,
  lastState,
  refusedCounts,
  startBridge,
  state,
  stopOf,
  topics,
} from '../support/bridge-bench.js';
import { VirtualBus } from '../support/virtual-bus.js';

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
