import { limiters } from '@sim2servo/models/shield';
import t from 'tap';
import { TickCounters } from '../src/tick-counters.js';

t.test('every limiter is counted by itself, and refusals as such', async t => {
  const counters = new TickCounters();
  counters.limited(0);
  counters.limited(limiters.velocity | limiters.derate);
  counters.limited(limiters.velocity);
  counters.limited(limiters.nonFinite);
  counters.limited(limiters.shape);
  counters.limited(limiters.lead);
  t.same(counters.limiterTicks(), {
    nonFinite: 1,
    shape: 1,
    range: 0,
    velocity: 2,
    acceleration: 0,
    softLimit: 0,
    derate: 1,
    lead: 1,
  });
  t.equal(counters.refused, 2);
});
