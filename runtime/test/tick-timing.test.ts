import t from 'tap';
import { nextOutputUs, TickTiming, tickPhases } from '../src/tick-timing.js';

t.test('an answer is out with the first period that begins after it', async t => {
  // Sampled at phase 12 of 20 ms: periods begin at 88, 108, 128 …
  t.equal(nextOutputUs(103_000, 100_000, 12_000, 20_000), 108_000);
  t.equal(nextOutputUs(108_000, 100_000, 12_000, 20_000), 108_000);
  t.equal(nextOutputUs(108_001, 100_000, 12_000, 20_000), 128_000);
});

t.test('a bus without periods is out when it is written', async t => {
  t.equal(nextOutputUs(103_000, 100_000, 0, 0), 103_000);
});

t.test('JSON holds every phase under its name', async t => {
  const timing = new TickTiming();
  timing.inferUs.record(12);
  const json = timing.toJSON();
  t.same(Object.keys(json), Object.keys(tickPhases));
  t.equal(json.inferUs.count, 1);
  t.equal(json.writeUs.count, 0);
});
