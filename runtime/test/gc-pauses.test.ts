import t from 'tap';
import { recordGcPauses } from '../src/gc-pauses.js';
import { Histogram } from '../src/histogram.js';

/** Enough rubbish for several collections of the young generation. */
function litter(): void {
  let rubbish: unknown[] = [];
  for (let i = 0; i < 3_000_000; i++) {
    rubbish.push({ i });
    if (rubbish.length > 1000) rubbish = [];
  }
}

t.test('pauses are recorded from the call on until it is ended, in microseconds', async t => {
  const pauses = new Histogram();
  litter();
  const ended = recordGcPauses(pauses);
  litter();
  // What the collector did reaches observers in a later turn.
  await new Promise(resolve => setTimeout(resolve, 20));
  ended();
  const { count, max } = pauses.summary();
  t.ok(count > 0 && max > 0 && max < 10e6, `${count} pauses, ${max} µs at most`);
  litter();
  await new Promise(resolve => setTimeout(resolve, 20));
  t.equal(pauses.summary().count, count);
});
