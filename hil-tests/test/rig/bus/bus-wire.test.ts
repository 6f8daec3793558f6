import t from 'tap';
import type { Answer, BusServo } from '../../../src/rig/bus/bus-servo.js';
import { BusWire } from '../../../src/rig/bus/bus-wire.js';
import { EmulatedBus } from '../../../src/rig/bus/emulated-bus.js';
import { freeHorns } from '../../../src/rig/bus/mechanics.js';

/** Answers the byte 1 with `says`, in its turn. */
function servo(
  turn: number,
  says: readonly number[],
  delayUs = 20,
  baudRate = 1_000_000,
): BusServo & { readonly heard: [number, number][] } {
  const heard: [number, number][] = [];
  return {
    heard,
    baudRate,
    hear(byte, timeUs): Answer | undefined {
      heard.push([byte, timeUs]);
      if (byte !== 1) return undefined;
      return { turn, delayUs, length: says.length, bytes: () => Uint8Array.from(says) };
    },
    step: () => Number.NaN,
  };
}

/** All bytes that reach the host, with the time of each look at which they were there. */
function listen(wire: BusWire, untilUs: number): [number, number][] {
  const got: [number, number][] = [];
  for (let timeUs = 0; timeUs <= untilUs; timeUs += 10) {
    while (wire.nextHeardUs <= timeUs) wire.hearNext();
    for (const byte of wire.take(timeUs)) got.push([byte, timeUs]);
  }
  return got;
}

t.test('every byte takes its time at the baud rate, on the way there and on the way back', async t => {
  const one = servo(0, [7, 8], 20, 500_000);
  const wire = new BusWire([one], 500_000);
  wire.send(Uint8Array.of(9, 1), 100);
  t.same(listen(wire, 300), [
    [7, 180],
    [8, 200],
  ]);
  t.same(one.heard, [
    [9, 120],
    [1, 140],
  ]);
});

t.test('a servo hears what is sent at its own rate, and nothing else', async t => {
  const fast = servo(0, [7]);
  const slow = servo(1, [8], 20, 500_000);
  const wire = new BusWire([fast, slow], 1_000_000);
  wire.send(Uint8Array.of(2), 0);
  wire.baudRate = 500_000;
  wire.send(Uint8Array.of(3), 0);
  listen(wire, 100);
  t.same(fast.heard, [[2, 10]], 'also where the host has changed its rate meanwhile');
  t.same(slow.heard, [[3, 30]]);
});

t.test('bytes sent while others still travel go behind them', async t => {
  const one = servo(0, []);
  const wire = new BusWire([one], 1_000_000);
  wire.send(Uint8Array.of(2, 3), 0);
  wire.send(Uint8Array.of(4), 5);
  listen(wire, 100);
  t.same(one.heard, [
    [2, 10],
    [3, 20],
    [4, 30],
  ]);
});

t.test('servos answer one after the other, each after its return delay', async t => {
  const wire = new BusWire([servo(1, [5, 6], 30), servo(0, [7])], 1_000_000);
  wire.send(Uint8Array.of(1), 0);
  t.same(listen(wire, 200), [
    [7, 40],
    [5, 80],
    [6, 90],
  ]);
});

t.test('one that keeps silent costs the time of its turn', async t => {
  const wire = new BusWire([servo(0, [7]), servo(2, [5])], 1_000_000);
  wire.send(Uint8Array.of(1), 0);
  t.same(listen(wire, 200), [
    [7, 40],
    [5, 100],
  ]);
});

t.test('two of one id are one where they say the same, and garbage where they differ', async t => {
  const same = new BusWire([servo(0, [6, 3]), servo(0, [6, 3])], 1_000_000);
  same.send(Uint8Array.of(1), 0);
  t.same(
    listen(same, 200).map(([byte]) => byte),
    [6, 3],
  );
  t.equal(same.collisions, 0);
  const differ = new BusWire([servo(0, [6, 3]), servo(0, [5, 3])], 1_000_000);
  differ.send(Uint8Array.of(1), 0);
  t.same(
    listen(differ, 200).map(([byte]) => byte),
    [4, 3],
  );
  t.equal(differ.collisions, 1);
});

t.test('a host that speaks while a servo does spoils both', async t => {
  const one = servo(0, [0xf0, 0xf0]);
  const wire = new BusWire([one], 1_000_000);
  wire.send(Uint8Array.of(1), 0);
  while (wire.nextHeardUs <= 10) wire.hearNext();
  wire.send(Uint8Array.of(0x3f), 30);
  t.same(
    listen(wire, 200).map(([byte]) => byte),
    [0x30, 0xf0],
  );
  t.same(one.heard.at(-1), [0x30, 40]);
});

t.test('a later turn can build on what the earlier ones said', async t => {
  const sum: BusServo = {
    baudRate: 1_000_000,
    hear: byte =>
      byte === 1
        ? { turn: 1, delayUs: 0, length: 1, bytes: before => Uint8Array.of(before.reduce((a, b) => a + b, 0)) }
        : undefined,
    step: () => Number.NaN,
  };
  const wire = new BusWire([sum, servo(0, [7, 5])], 1_000_000);
  wire.send(Uint8Array.of(1), 0);
  t.same(
    listen(wire, 200).map(([byte]) => byte),
    [7, 5, 12],
  );
});

t.test('an adapter that hears itself gives the host its own bytes back', async t => {
  const wire = new BusWire([servo(0, [7])], 1_000_000);
  wire.echo = true;
  wire.send(Uint8Array.of(2, 1), 0);
  t.same(
    listen(wire, 200).map(([byte]) => byte),
    [2, 1, 7],
  );
});

t.test('what a servo says can be tampered with, or swallowed', async t => {
  const wire = new BusWire([servo(0, [7]), servo(1, [8])], 1_000_000);
  wire.tamper = (answer, i) => (i === 0 ? undefined : { ...answer, bytes: () => Uint8Array.of(99) });
  wire.send(Uint8Array.of(1), 0);
  t.same(
    listen(wire, 200).map(([byte]) => byte),
    [99],
  );
});

t.test('physics goes on beside the wire, and horns follow what the servos drive them to', async t => {
  const driven: BusServo = { baudRate: 1_000_000, hear: () => undefined, step: () => 3000 };
  const limp: BusServo = { baudRate: 1_000_000, hear: () => undefined, step: () => Number.NaN };
  const bus = new EmulatedBus([driven, limp], freeHorns(2), 1_000_000);
  t.equal(bus.mechanics.counts(0), 2048);
  bus.runUntil(30_000);
  t.ok(Math.abs(bus.mechanics.counts(0) - (2048 + 0.632 * 952)) < 30, 'two thirds of the way in its time constant');
  bus.runUntil(400_000);
  t.equal(bus.mechanics.counts(0), 3000);
  t.equal(bus.mechanics.counts(1), 2048);
  t.equal(bus.nowUs, 400_000);
  bus.dispose();
});
