import t from 'tap';
import { collectGarbage, recordGcPauses } from '../src/gc-pauses.js';
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

t.test('what nobody holds any more is gone after a collection of everything', async t => {
  let registry: FinalizationRegistry<string> | undefined;
  const gone = new Promise<string>(resolve => {
    registry = new FinalizationRegistry(resolve);
    registry.register({ rubbish: true }, 'collected');
  });
  collectGarbage();
  t.ok(registry, 'it lives as long as it is waited for');
  t.equal(await Promise.race([gone, new Promise(resolve => setTimeout(resolve, 5_000, 'still there'))]), 'collected');
});
