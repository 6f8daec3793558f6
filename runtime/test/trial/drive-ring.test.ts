import { limiters } from '@sim2servo/models/shield';
import t from 'tap';
import { TickCounters } from '../../src/tick-counters.js';
import { DriveRing, driveRing } from '../../src/trial/drive-ring.js';

const sizes = { observation: 3, joints: 2 };

t.test('a row comes out as it went in, in every field, and totals are of fresh ticks', async t => {
  const memory = driveRing(sizes, 4);
  const [writer, reader] = [new DriveRing(memory), new DriveRing(memory)];
  const counters = new TickCounters();
  counters.ticks = 9;
  counters.stale = 2;
  counters.late('work', 3);
  counters.limited(limiters.velocity);
  counters.limited(limiters.range);
  counters.limited(limiters.softLimit);
  counters.limited(limiters.nonFinite);
  counters.trackingSquareSum[0] = 0.5;
  counters.pursued(0.5, 2);
  for (let serial = 0; serial < 9; serial++) {
    writer.push(serial, counters, 12.5, Float32Array.of(1, 2, serial), Float32Array.of(-1, serial));
    t.same(reader.shift(), {
      serial,
      ticks: 7,
      late: 1,
      limited: 1,
      bounded: 2,
      refused: 1,
      trackingSquareSum: 0.5,
      errorSquareSum: 0.25,
      stillSquareSum: 4,
      inferUs: 12.5,
      observation: Float32Array.of(1, 2, serial),
      action: Float32Array.of(-1, serial),
    });
  }
  t.equal(reader.shift(), undefined);
});

t.test('a row that finds no room is dropped and counted, and the totals of the next have what it held', async t => {
  const ring = new DriveRing(driveRing(sizes, 2));
  const counters = new TickCounters();
  for (counters.ticks = 1; counters.ticks <= 3; counters.ticks++)
    ring.push(0, counters, 1, new Float32Array(3), new Float32Array(2));
  t.equal(ring.dropped, 1);
  t.same([ring.shift()!.ticks, ring.shift()!.ticks, ring.shift()], [1, 2, undefined]);
  ring.push(0, counters, 1, new Float32Array(3), new Float32Array(2));
  t.equal(ring.shift()!.ticks, 4);
});
