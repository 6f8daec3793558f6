import { registers, watchdogFired } from '@sim2servo/firmware-bridge/dynamixel/registers';
import type { ServoState } from '@sim2servo/firmware-bridge/servo-link';
import { checkControlRate, cycleUs } from '@sim2servo/models/bus-cycle';
import t from 'tap';
import type { DynamixelServo } from '../../../../src/rig/bus/dynamixel/dynamixel-servo.js';
import type { Rig } from '../../../../src/rig/rig.js';
import { checkRig, rigChecks } from '../../../../src/scenarios/rig-checks.js';
import { alike, DynamixelBench, mixed } from '../../../support/dynamixel-bench.js';

for (const [name, models] of Object.entries({ mixed, alike }))
  t.test(`what every arm must do, it does: ${name} servos`, async t => {
    const bench = await DynamixelBench.on(t, models);
    const rig: Rig = {
      clock: bench.clock,
      virtualTime: true,
      connect: () => bench.connect(),
      close: async () => {},
    };
    for (const check of rigChecks) {
      const { passed, detail } = await checkRig(rig, bench.robot, check);
      t.ok(passed, `${check.name} ${detail}`);
    }
  });

t.test('opening moves nothing and lasts nowhere', async t => {
  const bench = await DynamixelBench.on(t);
  const eeprom = () => bench.servos.map(({ table }) => Buffer.from(table.bytes(0, 64)).toString('hex'));
  const before = eeprom();
  await bench.link.open();
  await bench.rest(500_000);
  t.same(bench.values('torqueEnable'), [0, 0]);
  t.same(eeprom(), before);
});

t.test('arming gives each servo its profile, its place as goal, torque, and the watchdog', async t => {
  const bench = await DynamixelBench.on(t);
  await bench.armed();
  t.same(bench.values('torqueEnable'), [1, 1]);
  t.same(bench.values('busWatchdog'), [5, 5], '100 ms in steps of 20');
  t.same(bench.values('profileVelocity'), [184, 184], '4 rad/s and a tenth, in steps of 0.229 rev/min');
  t.same(bench.values('profileAcceleration'), [641, 641], 'four times 60 rad/s², in steps of 214.577 rev/min²');
  for (const { table } of bench.servos)
    t.ok(Math.abs(table.get('goalPosition') - table.get('presentPosition')) <= 4, 'noise, no more');
  t.equal(bench.state.device, 'armed');
});

t.test('it reads every servo at once and writes every servo at once: two transactions a tick', async t => {
  for (const [models, firmware, instruction, packets] of [
    [mixed, 52, 0x9a, 1],
    [alike, 52, 0x8a, 1],
    [mixed, 44, 0x92, 2],
    [alike, 45, 0x82, 2],
  ] as const) {
    const bench = await DynamixelBench.on(t, models);
    for (const { table } of bench.servos) table.set('firmwareVersion', firmware);
    const motion = await bench.armed();
    const sent: Uint8Array[] = [];
    const send = bench.bus.wire.send.bind(bench.bus.wire);
    bench.bus.wire.send = (bytes, timeUs) => {
      sent.push(Uint8Array.from(bytes));
      send(bytes, timeUs);
    };
    let answers = 0;
    bench.bus.wire.tamper = answer => {
      answers++;
      return answer;
    };
    t.ok(await bench.tick(motion, bench.state.position));
    t.same(
      sent.map(bytes => bytes[7]),
      [instruction, 0x83],
      'the instructions',
    );
    t.equal(answers, 2, 'both servos answer, in one packet or two');
    t.equal(packets, instruction === 0x8a || instruction === 0x9a ? 1 : 2);
    const { cycle } = motion;
    t.equal(
      cycle!.readBytes + cycle!.writeBytes,
      sent[0]!.length + sent[1]!.length + replyBytes(packets),
      'as announced',
    );
  }
  function replyBytes(packets: number): number {
    return packets === 1 ? 8 + 2 * (16 + 4) : 2 * (16 + 11);
  }
});

t.test('what a tick costs is known, and a rate that it leaves no room for is refused', async t => {
  const bench = await DynamixelBench.on(t);
  const { cycle } = await bench.link.open();
  t.same([cycle!.readBytes, cycle!.writeBytes], [20 + 48, 24]);
  t.equal(cycleUs(cycle!), 920, 'at 1 Mbaud, without return delays');
  checkControlRate(cycle!, 850);
  bench.servos[0]!.table.set('returnDelayTime', 250);
  t.equal(cycleUs((await bench.connect().open()).cycle!), 1_420, 'of a fast read the first servo waits, only');
  t.throws(() => checkControlRate(cycle!, 1_000), { code: 'E_RATE_BUS' });
});

t.test('goals are the targets in counts, within the range', async t => {
  const bench = await DynamixelBench.on(t);
  const motion = await bench.armed();
  await bench.tick(motion, Float64Array.of(0.2, 1));
  t.same(bench.values('goalPosition'), bench.counts([0.2, 1]));
  await bench.tick(motion, Float64Array.of(-9, 9));
  t.same(bench.values('goalPosition'), bench.counts([-1.5, 2.6]));
  t.throws(() => motion.write(Float64Array.of(Number.NaN, 1)), { code: 'E_TARGET', message: /shoulder/ });
});

t.test('a host that dies: each servo stops by itself within the deadline, and stays', async t => {
  const bench = await DynamixelBench.on(t);
  const motion = await bench.armed();
  const far = Float64Array.of(1.4, 2.5);
  for (let i = 0; i < 5; i++) await bench.tick(motion, far);
  await bench.rest(104_000);
  t.same(bench.values('busWatchdog'), [watchdogFired, watchdogFired]);
  const { mechanics } = bench.bus;
  const stood = [0, 1].map(i => mechanics.counts(i));
  t.ok(Math.abs(stood[0]! - bench.counts(far)[0]!) > 200, 'it was on its way');
  await bench.rest(1_000_000);
  for (const i of [0, 1]) t.ok(Math.abs(mechanics.counts(i) - stood[i]!) < 120, 'it runs out, and stands');
  const still = [0, 1].map(i => mechanics.counts(i));
  await bench.rest(1_000_000);
  for (const i of [0, 1]) t.ok(Math.abs(mechanics.counts(i) - still[i]!) < 8, 'and stands');
});

t.test('a fired watchdog is never cleared while running, only by arming, which does not jump', async t => {
  const bench = await DynamixelBench.on(t);
  const motion = await bench.armed();
  const far = Float64Array.of(1.4, 2.5);
  for (let i = 0; i < 5; i++) await bench.tick(motion, far);
  await bench.rest(150_000);
  for (let i = 0; i < 20; i++) await bench.tick(motion, far);
  t.same([bench.state.device, bench.state.reason], ['latched', 'no motion command came in time']);
  t.same(bench.values('busWatchdog'), [watchdogFired, watchdogFired]);
  await motion.halt('hold');
  t.same(bench.values('busWatchdog'), [watchdogFired, watchdogFired], 'nor by a hold');
  const before = [...bench.state.position];
  await motion.arm();
  for (let i = 0; i < 20; i++) await bench.tick(motion);
  t.same(bench.values('busWatchdog'), [5, 5]);
  t.equal(bench.state.device, 'armed');
  for (const [j, angle] of bench.state.position.entries())
    t.ok(Math.abs(angle - before[j]!) < 0.03, `joint ${j} moved ${angle - before[j]!} rad`);
});

t.test('hold stands where it is, with torque, without a watchdog; relax lets go', async t => {
  const bench = await DynamixelBench.on(t);
  const motion = await bench.armed();
  for (let i = 0; i < 5; i++) await bench.tick(motion, Float64Array.of(1.4, 2.5));
  await motion.halt('hold');
  t.same(bench.values('torqueEnable'), [1, 1]);
  t.same(bench.values('busWatchdog'), [0, 0]);
  t.throws(() => motion.write(Float64Array.of(0, 1)), { code: 'E_NOT_ARMED' });
  await bench.tick(motion);
  t.same([bench.state.device, bench.state.reason], ['held', 'the host asked for it']);
  await motion.halt('relax');
  t.same(bench.values('torqueEnable'), [0, 0]);
  await bench.tick(motion);
  t.equal(bench.state.device, 'limp');
});

t.test('closing leaves the torque as it is', async t => {
  const bench = await DynamixelBench.on(t);
  await bench.armed();
  await bench.link.close();
  await bench.rest(300_000);
  t.same(bench.values('torqueEnable'), [1, 1]);
  t.same(bench.values('busWatchdog'), [watchdogFired, watchdogFired], 'nobody speaks any more');
});

t.test('an arm that somebody left with torque and a far goal is armed without a jump', async t => {
  const bench = await DynamixelBench.on(t);
  const { table } = bench.servos[0]!;
  await bench.link.open();
  table.set('profileVelocity', 1);
  bench.servos[0]!.write(registers.torqueEnable.address, Uint8Array.of(1));
  bench.servos[0]!.write(registers.goalPosition.address, Uint8Array.of(0x00, 0x0c, 0, 0));
  const before = bench.bus.mechanics.counts(0);
  await bench.link.arm();
  await bench.rest(90_000);
  t.ok(Math.abs(bench.bus.mechanics.counts(0) - before) < 20);
});

t.test('what is not set up for this robot is refused by name, with what to do', async t => {
  const wrong: [RegExp, string, (servo: DynamixelServo) => void][] = [
    [/no servo answers to id 2 \(joint 'elbow'\)/, 'E_SERVO_ABSENT', ({ table }) => table.set('id', 9)],
    [/is xl430-w250 \(1060\), not xl330-m288/, 'E_SERVO_MODEL', ({ table }) => table.set('modelNumber', 1060)],
    [/a model that this kit does not know \(7\)/, 'E_SERVO_MODEL', ({ table }) => table.set('modelNumber', 7)],
    [/operating mode 4 \(extendedPosition\), not in 3/, 'E_SERVO_SETUP', ({ table }) => table.set('operatingMode', 4)],
    [/drive mode 4: a profile by time/, 'E_SERVO_SETUP', ({ table }) => table.set('driveMode', 4)],
    [/drive mode 9: torque that comes on/, 'E_SERVO_SETUP', ({ table }) => table.set('driveMode', 9)],
    [/position limits 0 to 2000/, 'E_SERVO_SETUP', ({ table }) => table.set('maxPositionLimit', 2000)],
    [/reports: it is overloaded/, 'E_SERVO_FAULT', servo => servo.fault(0x20)],
  ];
  const bench = await DynamixelBench.on(t);
  for (const [message, code, spoil] of wrong) {
    const fresh = await DynamixelBench.on(t);
    spoil(fresh.servos[1]!);
    await t.rejects(fresh.link.open(), { code, message });
  }
  bench.servos[0]!.table.set('firmwareVersion', 37);
  await t.rejects(bench.link.open(), { code: 'E_SERVO_SETUP', message: /firmware 37, without a bus watchdog/ });
});

t.test('two servos with one id are refused', async t => {
  const bench = await DynamixelBench.on(t, alike);
  bench.servos[1]!.table.set('id', 1);
  await t.rejects(bench.link.open(), { code: /E_SERVO_(?:SILENT|ABSENT)/, hint: /id/ });
});

t.test('silent servos are told to answer', async t => {
  const bench = await DynamixelBench.on(t);
  for (const { table } of bench.servos) table.set('statusReturnLevel', 0);
  await bench.armed();
  t.equal(bench.state.device, 'armed');
});

t.test('faults in mid-run are said in words, and are stops', async t => {
  const faults: [(bench: DynamixelBench) => void, ServoState['device'], RegExp][] = [
    [({ servos }) => servos[1]!.fault(0x20), 'latched', /servo 2 of joint 'elbow' reports: it is overloaded/],
    [({ servos }) => servos[0]!.fault(0x04), 'latched', /servo 1 of joint 'shoulder' reports: it is too hot/],
    [({ servos }) => servos[0]!.fault(0x01), 'latched', /voltage/],
    [
      ({ servos }) => servos[1]!.write(registers.torqueEnable.address, Uint8Array.of(0)),
      'limp',
      /'elbow' has no torque/,
    ],
  ];
  for (const [spoil, device, reason] of faults) {
    const bench = await DynamixelBench.on(t);
    const motion = await bench.armed();
    await bench.tick(motion);
    spoil(bench);
    await bench.tick(motion);
    t.equal(bench.state.device, device);
    t.match(bench.state.reason, reason);
  }
});

t.test('a servo that was rebooted is limp, and its position is not made up', async t => {
  const bench = await DynamixelBench.on(t);
  const motion = await bench.armed();
  await bench.tick(motion);
  const [before] = bench.state.position;
  bench.servos[0]!.restart();
  t.equal(await bench.tick(motion), false, 'it hears nothing while it starts');
  await bench.rest(120_000);
  t.ok(await bench.tick(motion));
  t.equal(bench.state.device, 'limp');
  t.match(bench.state.reason, /servo 1 of joint 'shoulder' was reset/);
  t.equal(bench.state.position[0], before);
  await t.rejects(motion.arm(), { code: 'E_ARM_REFUSED', message: /was reset/ });
});

t.test('where an arm was armed that a hand turns meanwhile is what arming says, and where it stays', async t => {
  const bench = await DynamixelBench.on(t);
  const { mechanics } = bench.bus;
  const motion = await bench.link.open();
  const { counts } = mechanics;
  const fromUs = bench.clock.nowUs();
  const turned = () => Math.round((bench.clock.nowUs() - fromUs) / 250);
  mechanics.counts = servo => counts(servo) + (servo === 0 ? turned() : 0);
  await motion.read(bench.state, 20_000);
  const before = bench.counts(bench.state.position);
  const stay = await motion.arm();
  const goals = bench.values('goalPosition');
  t.same(bench.counts(stay), goals);
  t.ok(goals[0]! - before[0]! > 3, `it was turned by ${goals[0]! - before[0]!} counts since it was read`);
  motion.write(stay);
  await bench.rest(1_000);
  t.same(bench.values('goalPosition'), goals);
});

t.test('a hold names the servos that have no torque or do not answer, once the others hold', async t => {
  const lost: readonly [(bench: DynamixelBench) => void, RegExp][] = [
    [
      ({ servos }) => servos[0]!.restart(0.001),
      /^NOT held \(no torque\): servo 1 of joint 'shoulder'; every other joint/,
    ],
    [
      ({ servos }) => servos[0]!.restart(10),
      /^may NOT be held \(no answer\): servo 1 of joint 'shoulder'; every other/,
    ],
    [({ servos }) => servos[0]!.fault(0x20), /^NOT held \(no torque\): servo 1 of joint 'shoulder'; every other joint/],
    [
      ({ servos }) => servos.forEach(servo => void servo.fault(0x20)),
      /^NOT held \(no torque\): servo 1 of joint 'shoulder', servo 2 of joint 'elbow'; no joint is known to hold$/,
    ],
  ];
  for (const [spoil, message] of lost) {
    const bench = await DynamixelBench.on(t);
    const motion = await bench.armed();
    await bench.tick(motion, bench.state.position);
    spoil(bench);
    await bench.rest(5_000);
    await t.rejects(motion.halt('hold'), { code: 'E_HALT_REFUSED', exit: 'safetyStop', message });
    if (bench.servos[1]!.table.get('torqueEnable') === 0) continue;
    t.equal(bench.servos[1]!.table.get('busWatchdog'), 0, 'it stands: nothing is left for its watchdog to stop');
  }
});

t.test('an arm that was never given torque, or was relaxed, has none to lose: a hold is done', async t => {
  const bench = await DynamixelBench.on(t);
  const motion = await bench.link.open();
  await t.resolves(motion.halt('hold'));
  await motion.arm();
  await motion.halt('relax');
  await t.resolves(motion.halt('hold'));
});

t.test('a lost answer is asked for again within the tick; without time for it, the tick is stale', async t => {
  const bench = await DynamixelBench.on(t);
  const motion = await bench.armed();
  let lost = 1;
  bench.bus.wire.tamper = answer => (lost-- > 0 ? undefined : answer);
  const { sample, linkErrors } = bench.state;
  t.ok(await motion.read(bench.state, 20_000));
  t.equal(bench.state.sample, sample + 1);
  t.ok(bench.state.linkErrors > linkErrors, 'it was counted');
  lost = 2;
  const from = bench.clock.nowUs();
  t.notOk(await motion.read(bench.state, 4_000));
  t.ok(bench.clock.nowUs() - from <= 6_000, 'bounded by the tick');
  t.equal(bench.state.sample, sample + 1, 'what it had stays');
});

t.test('an adapter that hears itself is no matter', async t => {
  const bench = await DynamixelBench.on(t);
  bench.bus.wire.echo = true;
  const motion = await bench.armed();
  for (let i = 0; i < 5; i++) t.ok(await bench.tick(motion, bench.state.position));
  t.equal(bench.state.linkErrors, 0);
});

t.test('a port that vanishes is said', async t => {
  const bench = await DynamixelBench.on(t);
  const motion = await bench.armed();
  bench.clock.unplug();
  await t.rejects(motion.read(bench.state, 5_000), { code: 'E_PORT_CLOSED' });
  await t.rejects(motion.halt('hold'), { code: 'E_PORT_CLOSED' });
});
