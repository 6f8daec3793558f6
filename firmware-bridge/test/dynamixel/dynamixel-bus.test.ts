import t from 'tap';
import type { ByteStream } from '../../src/byte-stream.js';
import { DynamixelBus } from '../../src/dynamixel/dynamixel-bus.js';
import { encodeStatus, instructions } from '../../src/dynamixel/packet.js';
import { registers } from '../../src/dynamixel/registers.js';
import { VirtualClock } from '../support/virtual-clock.js';

const baudRate = 1_000_000;
const elbow = { id: 3, joint: 'elbow' };

/** A wire whose other end answers each packet as the test says. */
class AnsweringWire implements ByteStream {
  readonly clock = new VirtualClock();
  readonly asked: Uint8Array[] = [];
  #receive: (chunk: Uint8Array) => void = () => {};
  answer: (instruction: number, attempt: number) => Uint8Array | undefined = () => undefined;

  write(bytes: Uint8Array): void {
    this.asked.push(bytes);
    const answer = this.answer(bytes[7]!, this.asked.length);
    if (answer !== undefined) this.clock.after(1_000, () => this.#receive(answer));
  }

  onData(receive: (chunk: Uint8Array) => void): void {
    this.#receive = receive;
  }

  onClose(): void {}

  async close(): Promise<void> {}
}

function bench(answer: AnsweringWire['answer']): { readonly wire: AnsweringWire; readonly bus: DynamixelBus } {
  const wire = new AnsweringWire();
  wire.answer = answer;
  return { wire, bus: new DynamixelBus(wire, wire.clock, baudRate) };
}

t.test('a ping says model and firmware, or that nobody is there', async t => {
  t.same(await bench(() => encodeStatus(3, 0, [0xb0, 0x04, 52])).bus.ping(elbow), { model: 1200, firmware: 52 });
  const { wire, bus } = bench(() => undefined);
  t.equal(await bus.ping(elbow), undefined);
  t.equal(wire.asked.length, 3, 'it is asked three times');
});

t.test('registers are read as numbers, with their sign', async t => {
  const { wire, bus } = bench(() => encodeStatus(3, 0, [0xfe, 0xff, 0xff, 0xff]));
  t.equal(await bus.read(elbow, registers.presentPosition), -2);
  t.same([...wire.asked[0]!.subarray(7, 12)], [instructions.read, 132, 0, 4, 0]);
});

t.test('a write is confirmed', async t => {
  const { wire, bus } = bench(() => encodeStatus(3, 0));
  await bus.write(elbow, registers.homingOffset, -2);
  t.same([...wire.asked[0]!.subarray(7, 14)], [instructions.write, 20, 0, 0xfe, 0xff, 0xff, 0xff]);
});

t.test('a lost answer is asked for again; the alert bit is no refusal', async t => {
  const { wire, bus } = bench((_, attempt) => (attempt < 3 ? undefined : encodeStatus(3, 0x80, [7])));
  t.equal(await bus.read(elbow, registers.hardwareErrorStatus), 7);
  t.equal(wire.asked.length, 3);
});

t.test('a refusal names the servo, what was wanted and why it was refused', async t => {
  const { wire, bus } = bench(() => encodeStatus(3, 0x87));
  await t.rejects(bus.write(elbow, registers.operatingMode, 3), {
    code: 'E_SERVO_REFUSED',
    message: /servo 3 of joint 'elbow' refuses to write \[3\] to 11: .*locked while torque is on/,
  });
  t.equal(wire.asked.length, 1, 'it is not asked again');
});

t.test('silence names the servo; damaged answers say so', async t => {
  await t.rejects(bench(() => undefined).bus.read(elbow, registers.led), {
    code: 'E_SERVO_SILENT',
    message: /servo 3 of joint 'elbow' does not answer: read 65/,
    hint: /cable and its power/,
  });
  const spoilt = encodeStatus(3, 0, [1]);
  spoilt[9]! ^= 0x10;
  await t.rejects(bench(() => spoilt).bus.read(elbow, registers.led), {
    code: 'E_SERVO_SILENT',
    hint: /damaged.*this id/,
  });
});

t.test('answers of others, and to other questions, are not taken', async t => {
  const { bus } = bench((_, attempt) =>
    attempt === 1 ? encodeStatus(4, 0, [9]) : attempt === 2 ? encodeStatus(3, 0, [9, 9]) : encodeStatus(3, 0, [1]),
  );
  t.equal(await bus.read(elbow, registers.led), 1);
});

t.test('what decides whether a servo answers is told without waiting for an answer', async t => {
  const { wire, bus } = bench(() => undefined);
  bus.tell(elbow, registers.statusReturnLevel, 2);
  t.same([...wire.asked[0]!.subarray(4, 14)], [254, 9, 0, instructions.syncWrite, 68, 0, 1, 0, 3, 2]);
});
