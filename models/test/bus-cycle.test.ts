import fc from 'fast-check';
import t from 'tap';
import {
  type BusCycle,
  busShare,
  checkControlRate,
  cycleAt,
  cycleUs,
  highestRateHz,
  wireUs,
} from '../src/bus-cycle.js';

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

/** Beside that six registers, each every 25 ms: a request of 9 bytes and a reply of 7, 8 more for each beyond the first. */
const inTurn = { everyUs: 25_000 / 6, bytes: 8, returnDelayUs: 2 };
const withTurns: BusCycle = { ...six, readBytes: 98 + 16, returnDelayUs: 14, inTurn };

t.test('at a low rate several reads in turn fall due in a tick, and no more than there are servos', async t => {
  const at = (hz: number) => {
    const { readBytes, returnDelayUs, inTurn } = cycleAt(withTurns, hz);
    t.equal(inTurn, undefined, 'all of it is counted');
    return [readBytes - 98, returnDelayUs];
  };
  t.same(at(500), [16, 14]);
  t.same(at(200), [24, 16]);
  t.same(at(65), [40, 20]);
  t.same(at(20), [56, 24]);
  t.same(cycleAt(six, 20), six, 'without them a cycle is the same at every rate');
});

t.test('a rate is judged by what falls due at it, and the one that a refusal recommends is let pass', async t => {
  const slow = { ...withTurns, baudRate: 115_200 };
  t.ok(cycleUs(slow) < (busShare * 1e6) / 65, 'one read in turn would leave room');
  const best = highestRateHz(slow);
  t.throws(() => checkControlRate(slow, 65), {
    code: 'E_RATE_BUS',
    message: /reading 6 servos is 138 bytes, writing them 26/,
    hint: `take at most ${best} Hz, a higher baud rate, or shorter return delays`,
  });
  t.ok(best >= 50 && best < 65, `${best} Hz`);
  checkControlRate(slow, best);
  t.throws(() => checkControlRate(slow, best + 1), { code: 'E_RATE_BUS' });
});
