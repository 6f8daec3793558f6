import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  encodeAction,
  encodePacket,
  encodePing,
  encodeRead,
  encodeRegWrite,
  encodeSyncRead,
  encodeWrite,
  instruction,
} from '@sim2servo/firmware-bridge/feetech/packet';
import { registerBytes, sts3215 } from '@sim2servo/firmware-bridge/feetech/registers';
import t from 'tap';
import { freeBus } from '../../../src/rig/bus/create-bus.js';
import type { EmulatedBus } from '../../../src/rig/bus/emulated-bus.js';
import type { Sts3215 } from '../../../src/rig/bus/sts3215.js';

interface Vectors {
  readonly vectors: readonly {
    readonly name: string;
    readonly request: string;
    readonly reply?: string;
    readonly value?: { readonly register: keyof typeof sts3215; readonly is: number };
  }[];
}
const manifest = createRequire(import.meta.url).resolve('@sim2servo/firmware-bridge/feetech/packet');
const { vectors } = JSON.parse(
  readFileSync(join(dirname(manifest), '../../../vectors/feetech.json'), 'utf8'),
) as Vectors;

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What comes back within 20 ms. */
function ask(bus: EmulatedBus<Sts3215>, request: Uint8Array, waitUs = 20_000): string {
  bus.receive(request, bus.nowUs);
  return hexOf(bus.runUntil(bus.nowUs + waitUs));
}

const ok = (id: number, data: ArrayLike<number> = []): string => hexOf(encodePacket(id, 0, data));

t.test('it answers the requests of the manual as the manual says', async t => {
  for (const { name, request, reply, value } of vectors) {
    const bus = freeBus('feetech', 1, 1_000_000);
    if (value !== undefined) bus.servos[0]!.set('homingOffset', 2048 - value.is);
    bus.runUntil(10_000);
    const alone = name === 'eight registers of 1 and 2, sync read' ? ok(1, [0, 8, 0, 0, 0, 0, 120, 32]) : '';
    t.equal(ask(bus, Buffer.from(request, 'hex')), reply ?? alone, name);
  }
});

t.test('a goal is gone to once it has torque, at the speed that it was given', async t => {
  const bus = freeBus('feetech', 1, 1_000_000);
  ask(
    bus,
    encodeWrite(1, 41, [
      0,
      ...registerBytes(sts3215.goalPosition, 3048),
      0,
      0,
      ...registerBytes(sts3215.goalSpeed, 1000),
    ]),
  );
  bus.runUntil(bus.nowUs + 500_000);
  t.equal(bus.mechanics.counts(0), 2048, 'limp');
  ask(bus, encodeWrite(1, 40, [1]), 0);
  bus.runUntil(bus.nowUs + 500_000);
  const halfWay = bus.mechanics.counts(0);
  t.ok(Math.abs(halfWay - 2518) < 30, `${halfWay} after half a second at 1000 counts a second, less its lag`);
  bus.runUntil(bus.nowUs + 1_000_000);
  t.equal(bus.mechanics.counts(0), 3048);
  ask(bus, encodeWrite(1, 40, [2]), 0);
  bus.servos[0]!.set('goalPosition', 1000);
  bus.runUntil(bus.nowUs + 500_000);
  t.equal(bus.mechanics.counts(0), 3048, 'damping drives nowhere');
});

t.test('limits in its memory bound where it goes', async t => {
  const bus = freeBus('feetech', 1, 1_000_000);
  bus.servos[0]!.set('maxPosition', 2500);
  ask(bus, encodeWrite(1, 42, registerBytes(sts3215.goalPosition, 4000)));
  ask(bus, encodeWrite(1, 40, [1]));
  bus.runUntil(2_000_000);
  t.equal(bus.mechanics.counts(0), 2500);
});

t.test('what is written to the memory outlives a reset only where it is unlocked', async t => {
  const bus = freeBus('feetech', 1, 1_000_000);
  const [servo] = bus.servos;
  ask(bus, encodeWrite(1, sts3215.positionP.address, [16]));
  t.equal(servo!.get('positionP'), 16, 'it acts');
  servo!.restart(0);
  t.equal(servo!.get('positionP'), 32, 'and is forgotten');
  ask(bus, encodeWrite(1, sts3215.lock.address, [0]));
  ask(bus, encodeWrite(1, sts3215.positionP.address, [16]));
  servo!.restart(0);
  t.equal(servo!.get('positionP'), 16);
  t.equal(servo!.get('lock'), 1, 'locked again');
});

t.test('what is only to be read is not written', async t => {
  const bus = freeBus('feetech', 1, 1_000_000);
  t.equal(ask(bus, encodeWrite(1, sts3215.presentPosition.address, [0, 0])), ok(1));
  ask(bus, encodeWrite(1, sts3215.modelNumber.address, [1, 1]));
  t.equal(bus.servos[0]!.get('modelNumber'), 777);
  t.equal(bus.servos[0]!.get('presentPosition'), 2048);
});

t.test('a reg write waits for its action, which reaches all', async t => {
  const bus = freeBus('feetech', 2, 1_000_000);
  for (const id of [1, 2]) t.equal(ask(bus, encodeRegWrite(id, 42, [0, 4])), ok(id));
  t.same(
    bus.servos.map(servo => [servo.get('goalPosition'), servo.get('asyncFlag')]),
    [
      [2048, 1],
      [2048, 1],
    ],
  );
  t.equal(ask(bus, encodeAction()), '');
  t.same(
    bus.servos.map(servo => [servo.get('goalPosition'), servo.get('asyncFlag')]),
    [
      [1024, 0],
      [1024, 0],
    ],
  );
});

t.test('a silent one acknowledges no write and still answers reads', async t => {
  const bus = freeBus('feetech', 1, 1_000_000);
  bus.servos[0]!.set('responseLevel', 0);
  t.equal(ask(bus, encodeWrite(1, 41, [7])), '');
  t.equal(ask(bus, encodeRead(1, 41, 1)), ok(1, [7]));
});

t.test('a ping to all is answered by each in turn', async t => {
  const bus = freeBus('feetech', 3, 1_000_000);
  t.equal(ask(bus, encodePing(254)), ok(1) + ok(2) + ok(3));
});

t.test('a sync read is answered in the order of its list, each after its return delay', async t => {
  const bus = freeBus('feetech', 2, 1_000_000);
  bus.servos[0]!.set('returnDelay', 50);
  const request = encodeSyncRead([2, 1], 5, 1);
  bus.receive(request, 0);
  const [first, second] = [100 + 2, 100 + 2 + 70 + 100]; // 10 bytes of request; 2 µs and 100 µs of rest
  t.equal(bus.runUntil(first + 69).length, 6);
  t.equal(bus.runUntil(second).length, 1);
  t.equal(hexOf(bus.runUntil(second + 70)), ok(1, [1]));
});

t.test('a servo of another baud rate hears nothing', async t => {
  const bus = freeBus('feetech', 1, 1_000_000);
  bus.servos[0]!.set('baudRate', 1);
  t.equal(ask(bus, encodePing(1)), '');
});

t.test('two of one id spoil each other where they differ', async t => {
  const bus = freeBus('feetech', 2, 1_000_000);
  bus.servos[1]!.set('id', 1);
  bus.servos[1]!.set('homingOffset', 500);
  bus.runUntil(10_000);
  t.equal(ask(bus, encodePing(1)), ok(1), 'a ping sounds like one');
  const read = ask(bus, encodeRead(1, 56, 2));
  t.equal(read.length, 16);
  t.not(read, ok(1, registerBytes(sts3215.presentPosition, 2048)));
});

t.test('where it stands becomes the middle on torque 128, and on a calibration', async t => {
  for (const request of [encodeWrite(1, 40, [128]), encodePacket(1, instruction.calibrate)]) {
    const bus = freeBus('feetech', 1, 1_000_000);
    bus.servos[0]!.set('homingOffset', 300);
    bus.runUntil(10_000);
    t.equal(bus.servos[0]!.get('presentPosition'), 1748);
    t.equal(ask(bus, request), ok(1));
    t.equal(bus.servos[0]!.get('presentPosition'), 2048);
    t.equal(bus.servos[0]!.get('torqueEnable'), 0);
  }
});

t.test('a reset makes it limp and silent for a while; the factory reset keeps its address', async t => {
  const bus = freeBus('feetech', 2, 1_000_000);
  ask(bus, encodeWrite(2, 40, [1]));
  t.equal(ask(bus, encodePacket(2, instruction.reboot)), '');
  t.equal(ask(bus, encodePing(2)), '', 'still silent');
  bus.runUntil(bus.nowUs + 100_000);
  t.equal(ask(bus, encodeRead(2, 40, 1)), ok(2, [0]));
  bus.servos[1]!.set('positionP', 5);
  t.equal(ask(bus, encodePacket(2, instruction.reset)), ok(2));
  t.same([bus.servos[1]!.get('positionP'), bus.servos[1]!.get('id')], [32, 2]);
});

t.test(
  'each strain shows in its status bit, and what its memory names takes the torque away until it is told anew',
  async t => {
    const strains = {
      voltage: [30, 1],
      sensor: [true, 2],
      temperature: [71, 4],
      current: [501, 8],
      overload: [true, 32],
    } as const;
    for (const [name, [value, bit]] of Object.entries(strains)) {
      const bus = freeBus('feetech', 1, 1_000_000);
      const [servo] = bus.servos;
      ask(bus, encodeWrite(1, 40, [1]));
      const healthy = { ...servo!.strain };
      Object.assign(servo!.strain, { [name]: value });
      bus.runUntil(bus.nowUs + 10_000);
      t.equal(ask(bus, encodePing(1)), hexOf(encodePacket(1, bit)), name);
      const limp = (0b101100 & bit) !== 0;
      t.equal(Number.isNaN(servo!.step(0.002)), limp, `${name}: ${limp ? 'limp' : 'goes on'}`);
      Object.assign(servo!.strain, healthy);
      bus.runUntil(bus.nowUs + 10_000);
      t.equal(Number.isNaN(servo!.step(0.002)), limp, `${name}: it stays so`);
      ask(bus, encodeWrite(1, 42, [0, 8]));
      t.notOk(Number.isNaN(servo!.step(0.002)), `${name}: until it is told something`);
    }
  },
);

t.test('a baud rate that these servos do not have is refused', async t => {
  t.throws(() => freeBus('feetech', 1, 57_600), { code: 'E_RIG_BAUD', message: /57600/ });
});
