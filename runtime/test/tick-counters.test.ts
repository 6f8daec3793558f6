import { createControlState } from '@sim2servo/models/control-state';
import { loadRobot } from '@sim2servo/models/robot-folder';
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

t.test(
  'ticks are counted in which a policy was hasty, and in which it was at an end of a range; a share of the speed is neither',
  async t => {
    const counters = new TickCounters();
    for (const bits of [limiters.velocity, limiters.acceleration | limiters.velocity, limiters.lead])
      counters.limited(bits);
    for (const bits of [limiters.range, limiters.softLimit | limiters.range]) counters.limited(bits);
    for (const bits of [0, limiters.derate, limiters.nonFinite, limiters.shape]) counters.limited(bits);
    t.match(counters, { limitedTicks: 3, boundedTicks: 2, refused: 2 });
  },
);

t.test(
  'a tick that ran into the next counts once, however many it cost, and only where its own work was to blame',
  async t => {
    const counters = new TickCounters();
    counters.late('work', 5);
    counters.late('work', 0);
    counters.late('read', 2);
    t.equal(counters.lateTicks, 1);
    t.same(counters.missedBy, { away: 0, read: 2, work: 5 });
  },
);

t.test('the distance from the targets is the mean square over the joints, added up', async t => {
  const counters = new TickCounters();
  const state = createControlState(loadRobot('desk2').spec);
  state.target.set([0.3, 1]);
  state.position.set([0, 1.1]);
  counters.tracked(state);
  counters.tracked(state);
  t.ok(Math.abs(counters.trackingSquareSum[0]! - (0.09 + 0.01)) < 1e-12);
});

t.test('the task’s error is added up in squares, beside that of an arm that stands still', async t => {
  const counters = new TickCounters();
  counters.pursued(0.5, 2);
  counters.pursued(0.25, 2);
  t.same([counters.errorSquareSum[0], counters.stillSquareSum[0]], [0.3125, 8]);
});
