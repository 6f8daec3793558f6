import { feetechCycle } from '@sim2servo/firmware-bridge/feetech/feetech-cycle';
import { FeetechLink } from '@sim2servo/firmware-bridge/feetech/feetech-link';
import { createServoState } from '@sim2servo/firmware-bridge/servo-link';
import { checkControlRate, cycleAt, cycleUs } from '@sim2servo/models/bus-cycle';
import { loadRobot } from '@sim2servo/models/robot-folder';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { robotBus } from '../../../src/rig/bus/create-bus.js';
import type { Sts3215 } from '../../../src/rig/bus/sts3215.js';
import { Lockstep } from '../../../src/rig/lockstep.js';
import { feetechArm } from '../../support/feetech-arm.js';

const twoServos = feetechArm();
const { spec, site } = twoServos;
/** 4 rad/s for 100 ms, and 1 count for rounding. */
const leadCounts = (4 * 0.1 * 4096) / (2 * Math.PI) + 1;

async function bench(t: Test, robot = twoServos) {
  const bus = await robotBus<Sts3215>(robot);
  t.teardown(() => bus.dispose());
  const clock = new Lockstep(bus);
  const sent: Uint8Array[] = [];
  const onWire = { bytes: 0 };
  const receive = bus.receive.bind(bus);
  bus.receive = (bytes, timeUs) => {
    sent.push(bytes.slice());
    onWire.bytes += bytes.length;
    receive(bytes, timeUs);
  };
  const runUntil = bus.runUntil.bind(bus);
  bus.runUntil = timeUs => {
    const said = runUntil(timeUs);
    onWire.bytes += said.length;
    return said;
  };
  const { spec, site } = robot;
  const link = new FeetechLink({ open: async () => clock.open(), clock, spec, site });
  const state = createServoState(spec.joints.length);
  return { bus, clock, link, state, sent, onWire };
}

t.test('opening moves nothing, writes nothing, and says where the joints are', async t => {
  const { link, state, sent, bus } = await bench(t);
  const motion = await link.open();
  t.ok(
    sent.every(packet => packet[4] === 0x02 || packet[4] === 0x82),
    'only reads',
  );
  t.equal(await motion.read(state, 20_000), true);
  t.equal(state.device, 'limp');
  for (const [j, { home }] of spec.joints.entries()) t.ok(Math.abs(state.position[j]! - home) < 0.01);
  t.same([state.phaseUs, state.periodUs, state.linkErrors], [0, 0, 0]);
  t.ok(state.sampledAtUs <= bus.nowUs && state.roundTripUs > 300);
});

t.test('its cycle is what goes over the wire', async t => {
  // Two servos: 10 + 2 × 14 bytes read, 16 bytes of a torque switch, 14 written, three return delays of 2 µs at the least.
  const { link } = await bench(t);
  const { cycle } = await link.open();
  t.match(cycle, { readBytes: 10 + 28 + 16, writeBytes: 14 });
  t.equal(cycleUs(cycle!), 680);
  for (const robot of [twoServos, loadRobot('so101')]) {
    const { link, state, clock, onWire } = await bench(t, robot);
    const motion = await link.open();
    const stay = await motion.arm();
    for (const hz of [20, 50, 65, 100, 250, 500]) {
      let dueUs = clock.nowUs();
      let most = 0;
      for (let tick = 0; tick < 60; tick++) {
        dueUs += 1e6 / hz;
        await clock.waitUntil(dueUs);
        onWire.bytes = 0;
        await motion.read(state, 20_000);
        motion.write(stay);
        // What came due while the rate was changed is not of this one.
        if (tick > 0) most = Math.max(most, onWire.bytes);
      }
      const { readBytes, writeBytes } = cycleAt(motion.cycle!, hz);
      t.equal(most, readBytes + writeBytes, `${robot.spec.joints.length} servos at ${hz} Hz`);
    }
  }
});

t.test('a rate at which several torque switches fall due in a tick is refused where they do not fit', async t => {
  const six = feetechCycle(6, 115_200, 6 * 2);
  t.throws(() => checkControlRate(six, 65), { code: 'E_RATE_BUS', message: /reading 6 servos is 138 bytes/ });
  checkControlRate(six, 50);
});

t.test('a read with too little time for a torque switch leaves it to a later one, and has its sample', async t => {
  const { bus, link, state, sent, clock } = await bench(t);
  const motion = await link.open();
  const stay = await motion.arm();
  const looks = () => sent.filter(packet => packet[4] === 0x82 && packet[5] === 40).length;
  const tick = async (timeoutUs: number) => {
    await clock.waitUntil(bus.nowUs + 10_000);
    const fresh = await motion.read(state, timeoutUs);
    motion.write(stay);
    return fresh;
  };
  sent.length = 0;
  // The sample takes 384 µs on the wire; a read is reckoned with 300 µs more.
  for (let i = 0; i < 10; i++) for (const timeoutUs of [500, 650, 900]) t.equal(await tick(timeoutUs), true);
  t.equal(looks(), 0);
  t.equal(bus.wire.collisions, 0);
  t.equal(state.device, 'armed');
  for (let i = 0; i < 75; i++) await tick(500);
  t.match(state, { device: 'latched', reason: /for a second nothing was heard of the servos' torque switches/ });
  await motion.arm();
  sent.length = 0;
  for (let i = 0; i < 2; i++) await tick(20_000);
  t.ok(looks() >= 1, 'later');
  bus.servos[1]!.restart(0);
  for (let i = 0; i < 3; i++) await tick(20_000);
  t.match(state, { device: 'latched', reason: /servo 2 of joint 'elbow' has lost its torque/ });
});

t.test('a servo that is not there, or not what it should be, is refused by name, with what to do', async t => {
  const cases = [
    ['id', 9, 'E_SERVO_MISSING', /servo 2 of joint 'elbow'/],
    ['modelNumber', 1284, 'E_SERVO_MODEL', /servo 2 of joint 'elbow' says model 1284/],
    ['mode', 1, 'E_SERVO_MEMORY', /mode is 1 and should be 0/],
    ['responseLevel', 0, 'E_SERVO_MEMORY', /responseLevel is 0 and should be 1/],
    ['maxPosition', 2500, 'E_SERVO_MEMORY', /maxPosition is 2500 and should be 2934/],
  ] as const;
  for (const [register, value, code, message] of cases) {
    const { bus, link } = await bench(t);
    bus.servos[1]!.set(register, value);
    await t.rejects(link.open(), { code, message }, register);
  }
  const silent = await bench(t);
  for (const servo of silent.bus.servos) servo.set('baudRate', 2);
  await t.rejects(silent.link.open(), { code: 'E_NO_ANSWER', message: /1000000 baud/ });
  const twins = await bench(t);
  twins.bus.servos[1]!.set('id', 1);
  await t.rejects(twins.link.open(), { code: 'E_SERVO_MISSING', hint: /two servos of one id/ });
});

t.test('a range that leaves the turn of a servo is refused before the port is opened', async t => {
  const servos = site.servos.map((servo, i) => (i === 0 ? { ...servo, zeroCount: 100 } : servo));
  t.throws(
    () => new FeetechLink({ open: t.fail as never, clock: null as never, spec, site: { ...site, servos } as never }),
    {
      code: 'E_SERVO_RANGE',
      message: /counts -877 … 1077 of servo 1/,
    },
  );
});

t.test('memories are changed only on an explicit yes, and say what is changed', async t => {
  const { bus, link } = await bench(t);
  bus.servos[0]!.set('mode', 1);
  bus.servos[1]!.set('returnDelay', 250);
  const wanted = await link.configure(() => false);
  t.same(
    wanted.map(({ servo, name, from, to }) => [servo.joint, name, from, to]),
    [
      ['shoulder', 'mode', 1, 0],
      ['shoulder', 'minPosition', 0, 1071],
      ['shoulder', 'maxPosition', 4095, 3025],
      ['elbow', 'returnDelay', 250, 0],
      ['elbow', 'minPosition', 0, 1306],
      ['elbow', 'maxPosition', 4095, 2934],
    ],
  );
  t.equal(bus.servos[0]!.get('mode'), 1);
  bus.servos[0]!.set('torqueEnable', 1);
  await t.rejects(
    link.configure(() => true),
    { code: 'E_SERVO_TORQUE', message: /servo 1 of joint 'shoulder'/ },
  );
  bus.servos[0]!.set('torqueEnable', 0);
  await link.configure(() => true);
  for (const servo of bus.servos) servo.restart(0);
  t.same(
    bus.servos.map(servo =>
      (['mode', 'minPosition', 'maxPosition', 'returnDelay', 'lock'] as const).map(name => servo.get(name)),
    ),
    [
      [0, 1071, 3025, 0, 1],
      [0, 1306, 2934, 0, 1],
    ],
    'for good, and locked again',
  );
  t.same(await link.configure(t.fail as never), [], 'nothing is left to change');
});

t.test('arming sets the goal to where the arm stands before there is torque', async t => {
  const { bus, link, clock } = await bench(t);
  for (const servo of bus.servos) servo.set('goalPosition', 1500);
  const motion = await link.open();
  const before = bus.servos.map((_, i) => bus.mechanics.counts(i));
  await motion.arm();
  t.same(
    bus.servos.map(servo => servo.get('torqueEnable')),
    [1, 1],
  );
  t.ok(bus.servos.every(servo => servo.get('goalSpeed') === Math.ceil((1.1 * 4 * 4096) / (2 * Math.PI))));
  await clock.waitUntil(bus.nowUs + 500_000);
  for (const [i, count] of before.entries()) t.ok(Math.abs(bus.mechanics.counts(i) - count) < 15);
});

t.test('torque that is on from before is held, not moved, and arming seeds from where it stands', async t => {
  const { bus, link, state } = await bench(t);
  for (const servo of bus.servos) servo.set('torqueEnable', 1);
  const before = bus.servos.map((_, i) => bus.mechanics.counts(i));
  const motion = await link.open();
  await motion.read(state, 20_000);
  t.match(state, { device: 'held', reason: /before this host came/ });
  await motion.halt('hold');
  await motion.arm();
  await motion.read(state, 20_000);
  t.equal(state.device, 'armed');
  for (const [i, count] of before.entries()) t.ok(Math.abs(bus.mechanics.counts(i) - count) < 15);
});

t.test('closing leaves the arm as it is; relaxing is an act of its own', async t => {
  const { bus, link } = await bench(t);
  await (await link.open()).arm();
  await link.close();
  t.same(
    bus.servos.map(servo => servo.get('torqueEnable')),
    [1, 1],
  );
  await (await link.open()).halt('relax');
  t.same(
    bus.servos.map(servo => servo.get('torqueEnable')),
    [0, 0],
  );
});

t.test('no goal ever lies further ahead than the lead, whatever is asked for, nor outside the range', async t => {
  const { bus, link, state, clock } = await bench(t);
  const motion = await link.open();
  await motion.arm();
  const angle = fc.double({ min: -20, max: 20, noNaN: true });
  await fc.assert(
    fc.asyncProperty(fc.tuple(angle, angle), async targets => {
      await motion.read(state, 20_000);
      motion.write(Float64Array.from(targets));
      await clock.waitUntil(bus.nowUs + 10_000);
      return bus.servos.every((servo, i) => {
        const goal = servo.get('goalPosition');
        const [low, high] = [
          [1071, 3025],
          [1306, 2934],
        ][i] as [number, number];
        const present = site.servos[i] as { zeroCount: number; direction: number };
        const measured = present.zeroCount + (present.direction * state.position[i]! * 4096) / (2 * Math.PI);
        return Math.abs(goal - measured) <= leadCounts && goal >= low - 15 && goal <= high + 15;
      });
    }),
    { numRuns: 60 },
  );
});

t.test('what is no number is refused before anything goes out', async t => {
  const { link, sent } = await bench(t);
  const motion = await link.open();
  await motion.arm();
  sent.length = 0;
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => motion.write(Float64Array.of(0, bad)), { code: 'E_TARGET', message: /elbow/ });
  t.equal(sent.length, 0);
});

t.test('arming says where each joint was told to stay: where it stands then, not where it was read before', async t => {
  const { bus, link, state } = await bench(t);
  const motion = await link.open();
  await motion.read(state, 20_000);
  const before = state.position[0]!;
  const { counts } = bus.mechanics;
  bus.mechanics.counts = servo => counts(servo) + (servo === 0 ? 40 : 0);
  bus.runUntil(bus.nowUs + 5_000);
  const stay = await motion.arm();
  const goals = bus.servos.map(servo => servo.get('goalPosition'));
  t.ok(Math.abs(Math.abs(stay[0]! - before) - (40 * 2 * Math.PI) / 4096) < 0.005, `${stay[0]! - before} rad further`);
  motion.write(stay);
  bus.runUntil(bus.nowUs + 5_000);
  t.same(
    bus.servos.map(servo => servo.get('goalPosition')),
    goals,
  );
});

t.test('a servo that is ill is not armed', async t => {
  const { bus, link } = await bench(t);
  bus.servos[1]!.strain.temperature = 90;
  const motion = await link.open();
  bus.runUntil(bus.nowUs + 5_000);
  await t.rejects(motion.arm(), { code: 'E_ARM_REFUSED', message: /servo 2 of joint 'elbow': it is too hot/ });
  t.same(
    bus.servos.map(servo => servo.get('torqueEnable')),
    [0, 0],
  );
});

t.test(
  'a hold names the servos without torque: by their switch, by their own protection, by their silence',
  async t => {
    type Servos = Awaited<ReturnType<typeof bench>>['bus']['servos'];
    const lost: readonly [(servos: Servos) => void, RegExp][] = [
      [servos => servos[1]!.restart(0), /^NOT held \(no torque\): servo 2 of joint 'elbow'; every other joint holds$/],
      [
        servos => void Object.assign(servos[1]!.strain, { temperature: 90 }),
        /^NOT held \(it is too hot, .* itself\): servo 2 of joint 'elbow'/,
      ],
      [servos => servos[1]!.restart(10), /^may NOT be held \(no answer\): servo 2 of joint 'elbow'; every other joint/],
    ];
    for (const [spoil, message] of lost) {
      const { bus, link } = await bench(t);
      const motion = await link.open();
      await motion.arm();
      spoil(bus.servos);
      bus.runUntil(bus.nowUs + 5_000);
      await t.rejects(motion.halt('hold'), { code: 'E_HALT_REFUSED', exit: 'safetyStop', message });
      t.equal(bus.servos[0]!.get('torqueEnable'), 1);
    }
  },
);

t.test('a supply out of its limits takes no torque away: the hold is one', async t => {
  const { bus, link } = await bench(t);
  const motion = await link.open();
  await motion.arm();
  bus.servos[1]!.strain.voltage = 30;
  bus.runUntil(bus.nowUs + 5_000);
  await t.resolves(motion.halt('hold'));
});

t.test('an arm far outside its range is not armed', async t => {
  const { bus, link } = await bench(t);
  const motion = await link.open();
  bus.servos[0]!.set('homingOffset', 1400);
  bus.runUntil(bus.nowUs + 5_000);
  await t.rejects(motion.arm(), { code: 'E_ARM_OUTSIDE', message: /shoulder/ });
  t.same(
    bus.servos.map(servo => servo.get('torqueEnable')),
    [0, 0],
  );
});

t.test('a lost reply is asked for again within the time that a read has', async t => {
  const { bus, link, state, clock } = await bench(t);
  const motion = await link.open();
  let lost = 1;
  bus.wire.tamper = (answer, servo) => (servo === 1 && lost-- > 0 ? undefined : answer);
  const from = clock.nowUs();
  t.equal(await motion.read(state, 10_000), true);
  t.ok(clock.nowUs() - from <= 10_000);
  t.equal(state.linkErrors, 1);
  bus.wire.tamper = () => undefined;
  const again = clock.nowUs();
  t.equal(await motion.read(state, 10_000), false, 'stale');
  t.ok(clock.nowUs() - again <= 10_100, 'and no longer than that');
});
