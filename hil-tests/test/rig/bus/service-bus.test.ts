/** Servos spoken to one at a time, on emulated ones in virtual time: looking at them, and giving them ids, baud rates, homing offsets. */
import { createServiceBus } from '@sim2servo/firmware-bridge/create-service-bus';
import { baudRates as dynamixelRates } from '@sim2servo/firmware-bridge/dynamixel/registers';
import { baudRates as feetechRates } from '@sim2servo/firmware-bridge/feetech/registers';
import { writeHomingOffset } from '@sim2servo/firmware-bridge/homing';
import { type ServiceBus, type ServoBusKind, servoBusKinds } from '@sim2servo/firmware-bridge/service-bus';
import { setServoBaudRate, setServoId } from '@sim2servo/firmware-bridge/set-servo-address';
import t, { type Test } from 'tap';
import { type AnyServo, freeBus } from '../../../src/rig/bus/create-bus.js';
import type { EmulatedBus } from '../../../src/rig/bus/emulated-bus.js';
import { Sts3215 } from '../../../src/rig/bus/sts3215.js';
import { Lockstep } from '../../../src/rig/lockstep.js';

const rate = 1_000_000;

function bench(t: Test, kind: ServoBusKind, servos = 3) {
  const emulated: EmulatedBus<AnyServo> = freeBus(kind, servos, rate);
  t.teardown(() => emulated.dispose());
  const clock = new Lockstep(emulated);
  const bus = createServiceBus(kind, clock.open(), clock, rate);
  return { emulated, clock, bus };
}

/** A register past the protocol. */
function set(servo: AnyServo, name: string, value: number): void {
  if (servo instanceof Sts3215) servo.set(name as 'id', value);
  else servo.table.set(name, value);
}
const get = (servo: AnyServo, name: string): number => servo.get(name as 'id');
const yes = async () => {};

for (const kind of servoBusKinds)
  t.test(kind, async t => {
    await t.test('a servo says who it is and how it is; nobody says nothing', async t => {
      const { bus, emulated } = bench(t, kind);
      const model = kind === 'feetech' ? 'sts3215' : 'xl330-m288';
      t.match(await bus.memory(2), { model, baudRate: rate, homingOffset: 0, driveMode: 0, inPositionMode: true });
      t.equal(await bus.memory(9), undefined);
      t.equal(await bus.sample(9), undefined);
      emulated.mechanics.turn!(1, 1500);
      emulated.runUntil(emulated.nowUs + 100_000);
      const sample = (await bus.sample(2))!;
      t.match(sample, { torque: false, positionCounts: 1500, fault: '' });
      t.equal(Math.round(sample.voltageV * 10), kind === 'feetech' ? 120 : 53);
      t.equal(sample.temperatureC, kind === 'feetech' ? 32 : 25);
      t.type(sample.currentMa, 'number');
      t.equal(sample.loadPercent === undefined, kind === 'dynamixel', 'an XL330 has a current instead of a load');
    });

    await t.test('what it complains of is said in words', async t => {
      const { bus, emulated } = bench(t, kind);
      const servo = emulated.servos[0]!;
      if (servo instanceof Sts3215) servo.strain.overload = true;
      else servo.fault(0x20);
      emulated.runUntil(emulated.nowUs + 10_000);
      t.match((await bus.sample(1))!.fault, 'it is overloaded');
    });

    await t.test('looking writes nothing', async t => {
      const { bus, emulated } = bench(t, kind);
      const before = emulated.servos.map(servo => ['torqueEnable', 'goalPosition', 'id'].map(name => get(servo, name)));
      for (const id of [1, 2, 3]) await bus.sample(id);
      t.same(
        emulated.servos.map(servo => ['torqueEnable', 'goalPosition', 'id'].map(name => get(servo, name))),
        before,
      );
    });

    await t.test('a new id is kept, also without power', async t => {
      const { bus, emulated } = bench(t, kind);
      await setServoId(bus, 2, 7, yes);
      t.ok(await bus.memory(7));
      t.equal(await bus.memory(2), undefined);
      const [, servo] = emulated.servos;
      servo!.restart(0);
      t.equal(get(servo!, 'id'), 7);
      if (kind === 'feetech') t.equal(get(servo!, 'lock'), 1);
    });

    await t.test('an id is changed only of a limp servo that is there, to a free id, and after a yes', async t => {
      const { bus, emulated } = bench(t, kind);
      await t.rejects(setServoId(bus, 9, 7, yes), { code: 'E_SERVO_ABSENT', message: 'no servo answers to id 9' });
      await t.rejects(setServoId(bus, 1, 2, yes), { code: 'E_ID_TAKEN', message: /id 2 is taken by another servo/ });
      await t.rejects(setServoId(bus, 1, 253, yes), { code: 'E_SERVO_ID' });
      await t.rejects(setServoId(bus, 1, 1, yes), { code: 'E_SERVO_ID' });
      const no = new Error('no');
      await t.rejects(
        setServoId(bus, 1, 7, async () => {
          throw no;
        }),
        no,
      );
      set(emulated.servos[0]!, 'torqueEnable', 1);
      await t.rejects(setServoId(bus, 1, 7, yes), { code: 'E_SERVO_TORQUE', exit: 'safetyStop' });
      t.same(
        emulated.servos.map(servo => get(servo, 'id')),
        [1, 2, 3],
        'nothing was written',
      );
    });

    await t.test('an id at which two servos speak at once is taken, although nobody is understood there', async t => {
      const { bus, emulated } = bench(t, kind);
      set(emulated.servos[2]!, 'id', 2);
      set(emulated.servos[2]!, 'homingOffset', 77);
      await t.rejects(setServoId(bus, 1, 2, yes), { code: 'E_ID_TAKEN', message: /damaged/ });
      await t.rejects(setServoId(bus, 2, 9, yes), { code: 'E_SERVO_ABSENT', hint: /two servos of one id/ });
    });

    await t.test(
      'a servo that does not take its id is said to have the old one, one that falls silent to be lost',
      async t => {
        const { bus, emulated } = bench(t, kind);
        const stubborn = heedless(bus, async () => {});
        await t.rejects(setServoId(stubborn, 1, 7, yes), { code: 'E_SERVO_WRITE', message: /did not take id 7/ });
        const fuse = heedless(bus, async () => emulated.servos[0]!.restart(60));
        await t.rejects(setServoId(fuse, 1, 7, yes), {
          code: 'E_SERVO_LOST',
          message: 'servo 1 answers neither to 1 nor to 7',
          hint: /switch its supply off and on/,
        });
      },
    );

    await t.test('a homing offset is kept and turns the count, each kind its own way', async t => {
      const { bus, emulated } = bench(t, kind);
      await writeHomingOffset(bus, 3, -500);
      emulated.runUntil(emulated.nowUs + 10_000);
      t.equal((await bus.sample(3))!.positionCounts, kind === 'feetech' ? 2548 : 1548);
      t.equal((await bus.memory(3))!.homingOffset, -500);
      await t.rejects(
        writeHomingOffset(
          heedless(bus, async () => {}),
          3,
          5,
        ),
        {
          code: 'E_SERVO_WRITE',
          message: /it has -500/,
        },
      );
    });

    await t.test('a new baud rate is kept, and a rate that the servo has not is refused', async t => {
      const desk = rates(t, kind);
      await setServoBaudRate(desk.openAt, 2, rate, slower(kind), yes);
      t.equal(desk.rate(1), slower(kind));
      t.equal(desk.rate(0), rate, 'the others have theirs');
      for (const to of [123, rate])
        await t.rejects(setServoBaudRate(desk.openAt, 1, rate, to, yes), { code: 'E_SERVO_BAUD', exit: 'usage' });
      await t.rejects(setServoBaudRate(desk.openAt, 2, rate, slower(kind), yes), { code: 'E_SERVO_ABSENT' });
      t.same(desk.opened.slice(0, 2), [rate, slower(kind)]);
    });

    await t.test(
      'a baud rate that is not taken is said so; a servo that answers at neither is lost, with what to do',
      async t => {
        const desk = rates(t, kind);
        const stubborn = async (baudRate: number) => heedless(await desk.openAt(baudRate), async () => {});
        await t.rejects(setServoBaudRate(stubborn, 1, rate, slower(kind), yes), { code: 'E_SERVO_WRITE' });
        const elsewhere = async (baudRate: number) =>
          heedless(await desk.openAt(baudRate), async () => desk.setRate(0, other(kind)));
        await t.rejects(setServoBaudRate(elsewhere, 1, rate, slower(kind), yes), {
          code: 'E_SERVO_LOST',
          message: /answers neither at \d+ nor at 1000000/,
          hint: /finds it, at the old rate or at the new one/,
        });
      },
    );
  });

const baudRates: Record<ServoBusKind, readonly number[]> = { feetech: feetechRates, dynamixel: dynamixelRates };
const slower = (kind: ServoBusKind): number => (kind === 'feetech' ? 500_000 : 115_200);
const other = (kind: ServoBusKind): number => (kind === 'feetech' ? 115_200 : 57_600);

/** A bus whose servos do something else than they are told. */
function heedless(bus: ServiceBus, instead: () => Promise<void>): ServiceBus {
  return {
    kind: bus.kind,
    baudRates: bus.baudRates,
    port: bus.port,
    memory: id => bus.memory(id),
    sample: id => bus.sample(id),
    lock: id => bus.lock(id),
    write: instead,
  };
}

/** Two servos, and a port that is opened at one rate and another. */
function rates(t: Test, kind: ServoBusKind) {
  const emulated: EmulatedBus<AnyServo> = freeBus(kind, 2, rate);
  t.teardown(() => emulated.dispose());
  const clock = new Lockstep(emulated);
  const opened: number[] = [];
  return {
    opened,
    rate: (servo: number) => emulated.servos[servo]!.baudRate,
    setRate: (servo: number, to: number) => set(emulated.servos[servo]!, 'baudRate', baudRates[kind].indexOf(to)),
    async openAt(baudRate: number): Promise<ServiceBus> {
      opened.push(baudRate);
      emulated.wire.baudRate = baudRate;
      return createServiceBus(kind, clock.open(), clock, baudRate);
    },
  };
}
