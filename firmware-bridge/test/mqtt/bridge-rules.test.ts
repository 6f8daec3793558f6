/** Whom a bridge obeys: one host at a time, what is fresh and meant for it, and whoever says stop. */
import t from 'tap';
import { MemoryBroker } from '../../src/mqtt/memory-broker.js';
import { SharedClock } from '../../src/mqtt/shared-clock.js';
import type { ServoMotion } from '../../src/servo-link.js';
import {
  type Bench,
  bench,
  commandsSent,
  drive,
  drivenBench,
  hostOn,
  lastState,
  refusedCounts,
  startBridge,
  state,
  topics,
} from '../support/bridge-bench.js';
import { VirtualBus } from '../support/virtual-bus.js';

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
