import { readFileSync } from 'node:fs';
import {
  broadcastId,
  encodePacket,
  instructions,
  littleEndian,
  numberAt,
} from '@sim2servo/firmware-bridge/dynamixel/packet';
import { alertBit, errors, registers, watchdogFired } from '@sim2servo/firmware-bridge/dynamixel/registers';
import fc from 'fast-check';
import t from 'tap';
import { DynamixelWire } from '../../../support/dynamixel-wire.js';

interface Exchange {
  readonly name: string;
  readonly servos: readonly { readonly id: number; readonly registers: Readonly<Record<string, number>> }[];
  readonly request: string;
  readonly replies: readonly string[];
  readonly after?: readonly { readonly id: number; readonly register: string; readonly value: number }[];
}
const { exchanges } = JSON.parse(
  readFileSync(new URL('../../../../../../firmware-bridge/vectors/dynamixel.json', import.meta.url), 'utf8'),
) as { readonly exchanges: readonly Exchange[] };
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const xl330 = { model: 'xl330-m288', id: 1 } as const;
const { torqueEnable, goalPosition, busWatchdog, presentPosition } = registers;

t.test('it answers as the manual prints it', async t => {
  for (const { name, servos, request, replies, after = [] } of exchanges) {
    const bus = new DynamixelWire(
      ...servos.map(({ id, registers }) => ({
        model: 'xm430-w350' as const,
        id,
        horn: registers.presentPosition ?? 2048,
      })),
    );
    for (const [i, { registers }] of servos.entries())
      for (const [register, value] of Object.entries(registers)) bus.servos[i]!.table.set(register, value);
    t.equal(hexOf(bus.send(Buffer.from(request, 'hex')).bytes), replies.join(''), name);
    for (const { id, register, value } of after)
      t.equal(
        bus.servos.find(({ table }) => table.get('id') === id)!.table.get(register),
        value,
        `${name}: ${register}`,
      );
  }
});

t.test('torque locks the EEPROM, and only that', async t => {
  const bus = new DynamixelWire(xl330);
  t.equal(bus.set(1, 'homingOffset', 10), 0);
  t.equal(bus.set(1, 'torqueEnable', 1), 0);
  t.equal(bus.set(1, 'homingOffset', 20), errors.access);
  t.equal(bus.set(1, 'positionPGain', 500), 0);
  t.equal(bus.set(1, 'torqueEnable', 0), 0);
  t.equal(bus.set(1, 'homingOffset', 20), 0);
  t.same(bus.read(1, presentPosition.address, 4), [0, ...littleEndian(2068, 4)], 'the offset counts at once');
});

t.test('what may not be written is refused with its own error, all of it', async t => {
  const bus = new DynamixelWire(xl330);
  t.equal(bus.set(1, 'presentPosition', 1), errors.access, 'read-only');
  t.equal(bus.write(1, 66, [1]), errors.access, 'no register');
  t.equal(bus.write(1, 4000, [1]), errors.access, 'behind the table');
  t.equal(bus.write(1, goalPosition.address, [0, 8]), errors.length, 'half a register');
  t.equal(bus.write(1, goalPosition.address, []), errors.length, 'nothing');
  t.equal(bus.set(1, 'statusReturnLevel', 3), errors.range);
  t.equal(bus.set(1, 'goalVelocity', 446), errors.limit, 'above the velocity limit');
  t.equal(bus.set(1, 'goalPosition', 4096), errors.limit, 'above the position limit');
  t.equal(bus.write(1, torqueEnable.address, [1, 2]), errors.range, 'torque and a LED of 2');
  t.equal(bus.servos[0]!.isTorqueOn, false, 'nothing of it was done');
});

t.test('what may not be read is refused, and gaps are zeros', async t => {
  const bus = new DynamixelWire(xl330);
  t.same(bus.read(1, 66, 1), [errors.access]);
  t.same(bus.read(1, 220, 100), [errors.access]);
  t.same(bus.read(1, 64, 5), [0, 0, 0, 0, 0, 2], 'torque, LED, nothing, nothing, status return level');
  t.same(bus.ask(1, instructions.read, [64])[0]!.parameters[0], errors.length);
});

t.test('a hardware error sets the alert bit, makes it limp and keeps it so until it is rebooted', async t => {
  const bus = new DynamixelWire(xl330);
  bus.set(1, 'torqueEnable', 1);
  bus.servos[0]!.fault(0x20);
  t.same(bus.read(1, registers.hardwareErrorStatus.address, 1), [alertBit, 0x20]);
  t.same(bus.read(1, torqueEnable.address, 1), [alertBit, 0]);
  t.equal(bus.set(1, 'torqueEnable', 1), errors.result | alertBit);
  bus.ask(1, instructions.reboot);
  bus.rest(0.2);
  t.equal(bus.set(1, 'torqueEnable', 1), 0);
});

t.test('an error that its shutdown register does not name leaves it torque', async t => {
  const bus = new DynamixelWire({ model: 'xl430-w250', id: 1 });
  bus.set(1, 'shutdown', 0x20);
  bus.set(1, 'torqueEnable', 1);
  bus.servos[0]!.fault(0x04);
  t.same(bus.read(1, torqueEnable.address, 1), [alertBit, 1]);
});

t.test('it waits for its return delay, and answers what its level says', async t => {
  const bus = new DynamixelWire(xl330);
  const ping = encodePacket(1, instructions.ping);
  t.equal(bus.send(ping).timesUs[0], 100 + 500 + 10, 'ten bytes, 250 × 2 µs, one byte');
  bus.set(1, 'returnDelayTime', 0);
  t.equal(bus.send(ping).timesUs[0], 100 + 10);
  t.equal(bus.set(1, 'statusReturnLevel', 1), 0);
  t.equal(bus.set(1, 'led', 1), undefined, 'from now on writes are not answered');
  t.equal(bus.read(1, 64, 1).length, 2, 'reads are');
  bus.set(1, 'statusReturnLevel', 0);
  t.equal(bus.read(1, 64, 1).length, 0);
  t.equal(bus.ask(1, instructions.ping).length, 1, 'a ping always');
});

t.test('its bus watchdog fires after so long a silence, and only with torque', async t => {
  const bus = new DynamixelWire(xl330);
  bus.set(1, 'busWatchdog', 5);
  bus.rest(0.5);
  t.same(bus.read(1, busWatchdog.address, 1), [0, 5], 'without torque it does not');
  bus.set(1, 'torqueEnable', 1);
  for (let i = 0; i < 20; i++) {
    bus.rest(0.09);
    bus.ask(7, instructions.ping);
  }
  t.same(bus.read(1, busWatchdog.address, 1), [0, 5], 'packets for others feed it too');
  bus.rest(0.11);
  t.same(bus.read(1, busWatchdog.address, 1), [0, watchdogFired]);
});

t.test('a fired watchdog stops it where it is; goals are refused until it is cleared', async t => {
  const bus = new DynamixelWire(xl330);
  bus.set(1, 'profileVelocity', 20);
  bus.set(1, 'busWatchdog', 5);
  bus.set(1, 'torqueEnable', 1);
  bus.set(1, 'goalPosition', 3000);
  bus.rest(0.15);
  const stood = bus.horns[0]!;
  t.ok(stood > 2060 && stood < 2100, `it was on its way: ${stood}`);
  bus.rest(0.5);
  t.equal(bus.horns[0], stood, 'it stays, with torque');
  t.equal(bus.set(1, 'goalPosition', 2000), errors.range);
  t.equal(bus.set(1, 'goalVelocity', 10), errors.range);
  t.equal(bus.set(1, 'profileVelocity', 1), 0, 'what is no goal can be written');
  bus.rest(0.2);
  t.equal(bus.horns[0], stood);
  t.equal(bus.set(1, 'busWatchdog', 0), 0);
  t.equal(bus.set(1, 'goalPosition', 2000), 0);
});

t.test('cleared, it goes on to the goal that it had: nothing in the manual says that it does not', async t => {
  const bus = new DynamixelWire(xl330);
  bus.set(1, 'profileVelocity', 20);
  bus.set(1, 'busWatchdog', 5);
  bus.set(1, 'torqueEnable', 1);
  bus.set(1, 'goalPosition', 2500);
  bus.rest(0.15);
  bus.set(1, 'busWatchdog', 0);
  bus.rest(3);
  t.equal(bus.horns[0], 2500);
});

t.test('indirect slots stand for other registers, for reading and for writing', async t => {
  const bus = new DynamixelWire(xl330);
  const slots = [132, 133, 134, 135, 64, 116, 117, 118, 119];
  t.equal(
    bus.write(
      1,
      168,
      slots.flatMap(address => littleEndian(address, 2)),
    ),
    0,
  );
  t.same(bus.read(1, 208, 5), [0, ...littleEndian(2048, 4), 0]);
  t.equal(bus.write(1, 212, [1]), 0, 'torque');
  t.equal(bus.servos[0]!.isTorqueOn, true);
  t.equal(bus.write(1, 213, littleEndian(2100, 4)), 0);
  t.equal(bus.servos[0]!.table.get('goalPosition'), 2100);
  t.equal(bus.write(1, 213, [0, 8]), errors.length, 'half a register is half a register');
  t.equal(bus.write(1, 208, littleEndian(1, 4)), errors.access, 'a read-only one stays read-only');
  t.equal(bus.write(1, 168, littleEndian(9, 2)), errors.range, 'the EEPROM has no slots');
  t.same(bus.read(1, 217, 2), [0, 0, 0], 'slots that are not redirected are bytes of their own');
});

t.test('a write that was registered is done at the action, once', async t => {
  const bus = new DynamixelWire(xl330);
  t.equal(bus.ask(1, instructions.action)[0]!.parameters[0], errors.instruction);
  bus.ask(1, instructions.regWrite, [...littleEndian(65, 2), 1]);
  t.same(bus.read(1, registers.led.address, 1), [0, 0]);
  t.same(bus.read(1, registers.registeredInstruction.address, 1), [0, 1]);
  t.equal(bus.ask(1, instructions.action)[0]!.parameters[0], 0);
  t.same(bus.read(1, registers.led.address, 1), [0, 1]);
  t.equal(bus.ask(1, instructions.action)[0]!.parameters[0], errors.instruction);
});

t.test('rebooted, it hears nothing for a while and has forgotten its RAM, not its EEPROM', async t => {
  const bus = new DynamixelWire(xl330);
  bus.set(1, 'returnDelayTime', 3);
  bus.write(1, 168, littleEndian(132, 2));
  bus.set(1, 'torqueEnable', 1);
  t.equal(bus.ask(1, instructions.reboot)[0]!.parameters[0], 0);
  t.equal(bus.ask(1, instructions.ping).length, 0);
  bus.rest(0.2);
  t.equal(bus.ask(1, instructions.ping).length, 1);
  const { table } = bus.servos[0]!;
  t.same([table.get('returnDelayTime'), table.get('torqueEnable'), table.get('indirectAddress1')], [3, 0, 208]);
});

t.test('a factory reset forgets what it is told to', async t => {
  const bus = new DynamixelWire({ ...xl330, id: 5 });
  bus.set(5, 'baudRate', 3);
  bus.set(5, 'returnDelayTime', 0);
  const { table } = bus.servos[0]!;
  bus.ask(5, instructions.factoryReset, [2]);
  t.same([table.get('id'), table.get('baudRate'), table.get('returnDelayTime')], [5, 3, 250]);
  bus.rest(0.2);
  bus.ask(broadcastId, instructions.factoryReset, [0xff]);
  t.equal(table.get('id'), 5, 'not from everybody at once');
  bus.ask(5, instructions.factoryReset, [0xff]);
  t.same([table.get('id'), table.get('baudRate'), table.get('modelNumber')], [1, 1, 1200]);
});

t.test('two servos of one id are heard as one where they say the same, and as garbage where not', async t => {
  const bus = new DynamixelWire(xl330, { ...xl330, horn: 1000 });
  t.equal(bus.ask(1, instructions.ping).length, 1);
  t.equal(bus.read(1, presentPosition.address, 4).length, 0);
  t.ok(bus.wire.collisions > 0);
});

const fastRead = [...littleEndian(presentPosition.address, 2), ...littleEndian(4, 2), 1, 2, 3];

t.test('a fast read is one packet, and broken where one servo keeps silent', async t => {
  const bus = new DynamixelWire(xl330, { model: 'xl430-w250', id: 2, horn: 100 }, { ...xl330, id: 3 });
  const [answer, ...others] = bus.ask(broadcastId, instructions.fastSyncRead, fastRead);
  t.equal(others.length, 0);
  t.equal(numberAt(answer!.parameters, 10, 4), 100, 'the position of the second one');
  const old = new DynamixelWire(xl330, { model: 'xl430-w250', id: 2, firmware: 44 }, { ...xl330, id: 3 });
  t.equal(old.ask(broadcastId, instructions.fastSyncRead, fastRead).length, 0);
  t.equal(old.ask(broadcastId, instructions.syncRead, fastRead).length, 3, 'the old instruction works');
});

t.test('told another baud rate, it answers once more and is heard no more at this one', async t => {
  const bus = new DynamixelWire(xl330);
  t.equal(bus.set(1, 'baudRate', 4), 0);
  t.equal(bus.ask(1, instructions.ping).length, 0);
});

t.test('a second id is obeyed, and not answered', async t => {
  const bus = new DynamixelWire(xl330, { ...xl330, id: 2 });
  bus.set(2, 'secondaryId', 1);
  t.equal(bus.set(1, 'led', 1), 0, 'one answer');
  t.same(
    bus.servos.map(({ table }) => table.get('led')),
    [1, 1],
  );
});

t.test('a profile is never faster than its velocity, and ends at the goal', async t => {
  const bus = new DynamixelWire(xl330);
  bus.set(1, 'profileVelocity', 20); /* 313 counts a second */
  bus.set(1, 'profileAcceleration', 4); /* 977 counts per second, per second */
  bus.set(1, 'torqueEnable', 1);
  bus.set(1, 'goalPosition', 2448);
  let before = bus.horns[0]!;
  for (let i = 0; i < 20; i++) {
    bus.rest(0.1);
    t.ok(bus.horns[0]! - before <= 33, `${bus.horns[0]! - before} counts in 0.1 s`);
    before = bus.horns[0]!;
  }
  t.equal(before, 2448);
});

t.test('torque turned on without a goal holds where it stands, with one goes there', async t => {
  const bus = new DynamixelWire({ ...xl330, horn: 1500 });
  bus.set(1, 'torqueEnable', 1);
  bus.rest(0.1);
  t.equal(bus.horns[0], 1500);
  bus.set(1, 'torqueEnable', 0);
  bus.set(1, 'goalPosition', 1700);
  bus.set(1, 'torqueEnable', 1);
  bus.rest(0.1);
  t.equal(bus.horns[0], 1700);
});

t.test('whatever bytes come, it lives, and answers the next ping after a pause', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(0xff, 0xfd, 0, 1, 254, 3), fc.nat(255)), { maxLength: 300 }),
      soup => {
        const bus = new DynamixelWire(xl330);
        bus.send(Uint8Array.from(soup));
        return bus.ask(1, instructions.ping).length === 1;
      },
    ),
  );
});

t.test('whatever a good packet says, it lives', async () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, broadcastId),
      fc.constantFrom(
        ...Object.values(instructions).filter(one => one !== instructions.reboot && one !== instructions.factoryReset),
      ),
      fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 64, 116, 7)), { maxLength: 40 }),
      (id, instruction, parameters) => {
        const bus = new DynamixelWire(xl330, { ...xl330, id: 2 });
        bus.ask(id, instruction, parameters);
        bus.rest(0.01);
        return (
          bus.ask(2, instructions.ping).length === 1 ||
          bus.servos[1]!.get('id') !== 2 ||
          bus.servos[1]!.get('baudRate') !== 3
        );
      },
    ),
    { numRuns: 300 },
  );
});
