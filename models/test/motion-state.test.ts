/** Who may move: every invariant of the reducer under its own name, then all of them against random events. */
import fc from 'fast-check';
import t from 'tap';
import { initialMotion, type MotionEvent, type MotionState, motionRamp, reduceMotion } from '../src/motion-state.js';

const limits = { armingRampS: 0.1, nonFiniteTicks: 3, staleTicks: 2 };
const arm: MotionEvent = { kind: 'arm', freshPosition: true };
const good: MotionEvent = { kind: 'tick', dtS: 0.02, fresh: true, finite: true };
const stale: MotionEvent = { ...good, fresh: false };
const nonFinite: MotionEvent = { ...good, finite: false };
const hold: MotionEvent = { kind: 'hold', reason: 'asked to' };
const fault: MotionEvent = { kind: 'fault', reason: 'cable pulled' };
const reset: MotionEvent = { kind: 'reset' };

function after(...events: readonly MotionEvent[]): MotionState {
  return events.reduce((state, event) => reduceMotion(state, event, limits), initialMotion);
}

const running = [arm, good, good, good, good, good, good] as const;

t.test('a start moves nothing: the first state is limp, and only an explicit `arm` leaves it', async t => {
  t.equal(initialMotion.motion, 'limp');
  for (const event of [good, stale, nonFinite, hold, reset]) t.equal(after(event).motion, 'limp', event.kind);
  t.equal(after(fault).motion, 'stopped', 'a fault stops it, which moves nothing either');
  t.equal(motionRamp(initialMotion, limits), 0);
  t.equal(after(arm).motion, 'arming');
});

t.test('arming needs a fresh position', async t => {
  const refused = after({ kind: 'arm', freshPosition: false });
  t.equal(refused.motion, 'limp');
  t.equal(refused.session, 0);
  t.match(refused.reason, /fresh position/);
  t.equal(after(arm, hold, { kind: 'arm', freshPosition: false }).motion, 'holding');
});

t.test('a stop latches: from `stopped` only an explicit `reset` leads out, and only to limp', async t => {
  const stopped = after(...running, fault);
  t.equal(stopped.motion, 'stopped');
  for (const event of [arm, good, stale, nonFinite, hold, fault])
    t.equal(reduceMotion(stopped, event, limits), stopped, event.kind);
  t.equal(reduceMotion(stopped, reset, limits).motion, 'limp');
});

t.test('holding never resumes by itself: motion needs a new arming', async t => {
  const holding = after(...running, hold);
  t.equal(holding.motion, 'holding');
  t.equal(holding.reason, 'asked to');
  for (const event of [good, stale, nonFinite, hold, reset])
    t.equal(reduceMotion(holding, event, limits), holding, event.kind);
  t.equal(motionRamp(holding, limits), 0);
  t.equal(reduceMotion(holding, arm, limits).motion, 'arming');
});

t.test('a stop makes every older motion void: the session counts up', async t => {
  t.equal(after(arm).session, 1);
  t.equal(after(...running).session, 1);
  t.equal(after(...running, hold).session, 2);
  t.equal(after(...running, fault).session, 2);
  t.equal(after(...running, fault, reset).session, 2, 'a reset brings no old session back');
  t.equal(after(...running, fault, reset, arm).session, 3);
});

t.test('arming ramps velocity in from 0 to 1, and then it runs', async t => {
  const ramp = [0, 1, 2, 3, 4, 5].map(n => motionRamp(after(arm, ...Array<MotionEvent>(n).fill(good)), limits));
  for (const [n, share] of [0, 0.2, 0.4, 0.6, 0.8, 1].entries())
    t.ok(Math.abs(ramp[n]! - share) < 1e-9, `after ${n} ticks ${ramp[n]}`);
  t.equal(after(arm, good, good).motion, 'arming');
  t.equal(after(...running).motion, 'running');
});

t.test(
  'too many refused ticks in a row stop it, with the number in the reason; one good tick starts the count anew',
  async t => {
    t.equal(after(...running, nonFinite, nonFinite).motion, 'running');
    const stopped = after(...running, nonFinite, nonFinite, nonFinite);
    t.equal(stopped.motion, 'stopped');
    t.match(stopped.reason, /not a finite number for 3 ticks/);
    t.equal(after(...running, nonFinite, nonFinite, good, nonFinite, nonFinite).motion, 'running');
  },
);

t.test('too many stale samples in a row stop it, also while arming', async t => {
  t.equal(after(...running, stale).motion, 'running');
  t.match(after(...running, stale, stale), { motion: 'stopped', reason: 'no fresh position for 2 ticks' });
  t.equal(after(arm, stale, stale).motion, 'stopped');
  t.equal(after(...running, stale, good, stale).motion, 'running');
});

t.test('arming again starts the counts and the ramp at 0', async t => {
  const again = after(...running, nonFinite, nonFinite, stale, hold, arm);
  t.match(again, { motion: 'arming', armingS: 0, nonFiniteTicks: 0, staleTicks: 0, reason: '' });
});

t.test('while running, a good tick changes nothing and makes no new state', async t => {
  const state = after(...running);
  t.equal(reduceMotion(state, good, limits), state);
});

const anyEvent: fc.Arbitrary<MotionEvent> = fc.oneof(
  fc.record({ kind: fc.constant('arm' as const), freshPosition: fc.boolean() }),
  fc.record({
    kind: fc.constant('tick' as const),
    dtS: fc.constantFrom(0.001, 0.02, 0.2),
    fresh: fc.boolean(),
    finite: fc.boolean(),
  }),
  fc.constant(good),
  fc.record({ kind: fc.constant('hold' as const), reason: fc.string() }),
  fc.record({ kind: fc.constant('fault' as const), reason: fc.string() }),
  fc.constant(reset),
);

/** From → to → the only event that may cause it. */
const transitions: Readonly<Record<string, string>> = {
  'limp→arming': 'arm',
  'holding→arming': 'arm',
  'arming→running': 'tick',
  'arming→holding': 'hold',
  'running→holding': 'hold',
  'stopped→limp': 'reset',
};

t.test('for any sequence of events: only the named ways are taken, and the session never counts down', async () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 80 }), events => {
      let state = initialMotion;
      for (const event of events) {
        const next = reduceMotion(state, event, limits);
        if (next.motion !== state.motion) {
          const way = `${state.motion}→${next.motion}`;
          const allowed =
            next.motion === 'stopped'
              ? event.kind === 'fault' || (event.kind === 'tick' && /arming|running/.test(state.motion))
              : transitions[way] === event.kind;
          if (!allowed) throw new Error(`${event.kind} took ${way}`);
          const counts = next.motion === 'arming' || next.motion === 'holding' || next.motion === 'stopped' ? 1 : 0;
          if (next.session !== state.session + counts) throw new Error(`${way}: session ${next.session}`);
        } else if (next.session !== state.session) throw new Error('a session without a change of motion');
        const ramp = motionRamp(next, limits);
        if (!(ramp >= 0 && ramp <= 1)) throw new Error(`ramp ${ramp}`);
        if (ramp > 0 && next.motion !== 'arming' && next.motion !== 'running')
          throw new Error(`${next.motion} lets velocity in`);
        if (next.motion === 'running' && next.nonFiniteTicks >= limits.nonFiniteTicks) throw new Error('runs on NaN');
        if (next.motion === 'running' && next.staleTicks >= limits.staleTicks) throw new Error('runs on stale samples');
        state = next;
      }
    }),
    { numRuns: 500 },
  );
});
