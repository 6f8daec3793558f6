import fc from 'fast-check';
import t from 'tap';
import { type BusCycle, busShare, checkControlRate, cycleUs, wireUs } from '../src/bus-cycle.js';

/** Six servos at 1 Mbaud: the figures of a sync read of eight registers each and a sync write of goals. */
const six: BusCycle = { servos: 6, baudRate: 1_000_000, readBytes: 98, writeBytes: 26, returnDelayUs: 12 };

t.test('a byte is ten bits on the wire', async t => {
  t.equal(wireUs(1, 1_000_000), 10);
  t.equal(wireUs(26, 1_000_000), 260);
  t.equal(wireUs(98, 500_000), 1960);
});

t.test('a cycle is its bytes and the pauses of the servos', async t => {
  t.equal(cycleUs(six), 1252);
  t.equal(cycleUs({ ...six, baudRate: 115_200 }), 12 + (124 * 10 * 1e6) / 115_200);
});

t.test('a rate whose period has room is let pass', async () => {
  for (const hz of [50, 100, 500, 638]) checkControlRate(six, hz);
});

t.test('a rate that the bus cannot keep is refused with the arithmetic, and the highest rate that it can', async t => {
  t.throws(() => checkControlRate(six, 1000), {
    code: 'E_RATE_BUS',
    message:
      '1000 ticks a second leave 1000 µs each, and this bus needs 1252 µs (125 %, at most 80 %): reading 6 servos is 98 bytes, writing them 26; at 1000000 baud and 10 bits a byte that is 1240 µs, and the return delays are 12 µs',
    hint: 'take at most 638 Hz, a higher baud rate, or shorter return delays',
    exit: 'usage',
  });
});

t.test('the rate that a refusal recommends is let pass, and the next one is not', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.integer({ min: 0, max: 8000 }),
      fc.constantFrom(57_600, 115_200, 1_000_000, 4_000_000),
      (readBytes, returnDelayUs, baudRate) => {
        const cycle = { servos: 3, writeBytes: 20, readBytes, returnDelayUs, baudRate };
        const best = Math.floor((busShare * 1e6) / cycleUs(cycle));
        if (best >= 1) checkControlRate(cycle, best);
        try {
          checkControlRate(cycle, best + 1);
        } catch {
          return true;
        }
        return false;
      },
    ),
  );
});
