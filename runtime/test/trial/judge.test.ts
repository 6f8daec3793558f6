/** The judge, reason by reason, and how often it cries wolf: records drawn by the same policy against itself. */
import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { emptyRecord, type PolicyRecord } from '../../src/releases/policy-record.js';
import { judge } from '../../src/trial/judge.js';
import { phaseSeconds, type TriedPhase } from '../../src/trial/trial-phases.js';

const hz = 50;
const hour = 3600 * hz;

/** Shares, and rad. */
interface Habits {
  readonly limited: number;
  readonly bounded: number;
  readonly trackingRad: number;
  readonly missed: number;
  /** Of the error of an arm that stands still: mean square. */
  readonly error: number;
}
const usual: Habits = { limited: 0.08, bounded: 0.3, trackingRad: 0.05, missed: 0, error: 0.14 };
/** Mean square distance of an arm that stands still from its goals, m². */
const still = 0.16;

function recordOf(ticks: number, habits: Partial<Habits> = {}, more: Partial<PolicyRecord> = {}): PolicyRecord {
  const { limited, bounded, trackingRad, missed, error } = { ...usual, ...habits };
  return {
    ...emptyRecord,
    ticks,
    limitedTicks: Math.round(limited * ticks),
    boundedTicks: Math.round(bounded * ticks),
    missedByWork: Math.round(missed * ticks),
    trackingSquareSum: trackingRad ** 2 * ticks,
    errorSquareSum: error * still * ticks,
    stillSquareSum: still * ticks,
    inferP99Us: 20,
    ...more,
  };
}

const ticksOf = (phase: TriedPhase) => phaseSeconds[phase] * hz;
const long = recordOf(hour);
const full = (
  habits: Partial<Habits> = {},
  more: Partial<PolicyRecord> = {},
  reference: PolicyRecord | undefined = long,
) => judge(recordOf(ticksOf('full'), habits, more), reference, 'full', hz);

t.test('a policy like the one before it has nothing against it, in any phase', async t => {
  for (const phase of ['shadow', 'limited', 'full'] as const)
    t.same(judge(recordOf(ticksOf(phase)), long, phase, hz), []);
  t.same(judge(emptyRecord, long, 'full', hz), [], 'nor one that was not seen yet');
});

t.test('one answer that is no number is one too many, and so is a safety stop', async t => {
  for (const phase of ['shadow', 'limited', 'full'] as const) {
    t.same(judge(recordOf(10, {}, { refusedTicks: 1 }), long, phase, hz), ['it gave no numbers in 1 of 10 ticks']);
    t.same(judge(recordOf(10, {}, { faults: 1 }), long, phase, hz), ['1 safety stops']);
  }
});

t.test(
  'inference may take its share of the period, or three times what the old one took; that is known at the end of a phase',
  async t => {
    t.same(full({}, { inferP99Us: 5000 }), []);
    t.same(full({}, { inferP99Us: 5100 }), ['one inference takes 5100 µs (p99), and may take 5000']);
    t.same(full({}, { inferP99Us: 5100 }, recordOf(hour, {}, { inferP99Us: 1800 })), []);
    const short = ticksOf('full') - 1;
    t.same(judge(recordOf(short, {}, { inferP99Us: 1e6 }), long, 'full', hz), []);
    t.same(judge(recordOf(250, {}, { inferP99Us: 19_000 }), long, 'shadow', hz), [], 'in the shadow: the whole period');
    t.match(judge(recordOf(250, {}, { inferP99Us: 21_000 }), long, 'shadow', hz), [/may take 20000/]);
  },
);

t.test('a few misses decide nothing; as many as no machine explains do, at once', async t => {
  t.same(full({ missed: 0.007 }), []);
  t.same(full({ missed: 0.02 }), ['20 of 1000 ticks ran into the next, 1.0 were to be expected']);
  t.same(full({ missed: 0.02 }, {}, recordOf(hour, { missed: 0.01 })), [], 'the old one lost as many');
  t.match(judge({ ...recordOf(5), missedByWork: 5 }, long, 'limited', hz), [/^5 of 5 ticks/]);
  t.same(judge({ ...recordOf(250), missedByWork: 200 }, long, 'shadow', hz), [], 'in the shadow it can lose none');
});

t.test('one that is limited far more often than the old one is refused; a little more is nothing', async t => {
  t.same(full({ limited: 0.3 }), []);
  t.match(full({ limited: 0.8 }), [
    /^velocity, acceleration or lead was limited in 80\.0 % of the ticks, which may be in \d+\.\d %$/,
  ]);
  t.match(full({ limited: 0.9 }, {}, recordOf(250, { limited: 0 })), [/limited in 90/], 'against five seconds, too');
  t.same(full({ limited: 0.8 }, {}, recordOf(hour, { limited: 0.6 })), []);
});

t.test(
  'one that presses against the ends of the ranges all the time, where the old one hardly did, is refused',
  async t => {
    t.match(full({ bounded: 1 }, {}, recordOf(hour, { bounded: 0.02 })), [
      /^a joint was stopped at an end of its range in 100/,
    ]);
    t.same(full({ bounded: 1 }, {}, recordOf(hour, { bounded: 0.9 })), []);
  },
);

t.test('one whose joints are three times as far from their targets is refused', async t => {
  t.same(full({ trackingRad: 0.08 }), []);
  t.match(full({ trackingRad: 0.15 }), [/^the joints were 0\.150 rad from their targets \(rms\), and may be 0\.\d+$/]);
  t.same(
    full({ trackingRad: 0.019 }, {}, recordOf(hour, { trackingRad: 0.0001 })),
    [],
    'less than 0.02 rad is no error',
  );
  t.same(
    full({ trackingRad: 0.08 }, {}, recordOf(250, { trackingRad: 0 })),
    [],
    'one that stood still for five seconds promises little',
  );
});

t.test(
  'one that is as far from its goals as an arm that stands still is refused, with and without one before it',
  async t => {
    for (const reference of [long, undefined]) {
      const judged = (error: number, more: Partial<PolicyRecord> = {}) =>
        judge(recordOf(ticksOf('full'), { error }, more), reference, 'full', hz);
      t.same(judged(0.69), []);
      t.same(judged(1), ['it was 400 mm from its goals (rms), and may be 335; an arm that stands still would be 400']);
      t.match(judged(4), [/^it was 800 mm/], 'one that runs away');
    }
  },
);

t.test(
  'where the old one did not do well either, it may be twice as bad: if that was seen for a whole phase',
  async t => {
    const poor = (seconds: number) => recordOf(seconds * hz, { error: 0.6 });
    t.same(full({ error: 1.1 }, {}, poor(20)), []);
    t.match(full({ error: 1.3 }, {}, poor(20)), [/^it was 456 mm from its goals \(rms\), and may be 438/]);
    t.match(full({ error: 1.1 }, {}, poor(19)), [/may be 335/]);
  },
);

t.test('beside its goal standing still is no measure: closer than 20 mm is close', async t => {
  const near = (errorM: number) => ({ errorSquareSum: errorM ** 2 * 1000, stillSquareSum: 0.001 ** 2 * 1000 });
  t.same(full({}, near(0.019)), []);
  t.same(full({}, near(0.021)), [
    'it was 21 mm from its goals (rms), and may be 20; an arm that stands still would be 1',
  ]);
  t.same(full({ error: 0.69 }, {}, recordOf(hour, {}, near(0))), [], 'and promises nothing where it was the old one’s');
});

t.test('goals are judged at the end of full only: at a share of the speed everybody comes late', async t => {
  t.same(judge(recordOf(250, { error: 1 }), long, 'limited', hz), []);
  t.same(judge(recordOf(ticksOf('full') - 1, { error: 1 }), long, 'full', hz), []);
});

t.test('limits and distances of less than five seconds are not compared', async t => {
  const bad = { limited: 1, bounded: 1, trackingRad: 3 };
  const calm = recordOf(hour, { bounded: 0.005 });
  t.same(judge(recordOf(249, bad), calm, 'limited', hz), []);
  t.equal(judge(recordOf(250, bad), calm, 'limited', hz).length, 2);
  t.equal(judge(recordOf(250, bad), calm, 'full', hz).length, 3);
});

t.test('at a share of the speed the limiters act more often: that is not held against it', async t => {
  t.same(judge(recordOf(250, { limited: 1 }), long, 'limited', hz), []);
  t.same(judge(recordOf(250, { limited: 1 }), undefined, 'limited', hz), []);
});

t.test('without a policy before it, it must only be possible', async t => {
  t.same(full({}, {}, emptyRecord), [], 'a reference of no ticks is none');
  const alone = (habits: Partial<Habits>, more: Partial<PolicyRecord> = {}) =>
    judge(recordOf(ticksOf('full'), habits, more), undefined, 'full', hz);
  t.same(alone({ limited: 0.6, bounded: 1, trackingRad: 0.3 }), []);
  t.match(alone({ limited: 0.75 }), [/which may be in 70\.0 %/]);
  t.match(alone({ trackingRad: 0.4 }), [/may be 0\.350/]);
  t.match(alone({ missed: 0.1 }), [/^100 of 1000/]);
  t.match(alone({}, { inferP99Us: 5100 }), [/may take 5000/]);
});

t.test('whatever the arm: temperature, voltage and battery are not in a record', async t => {
  t.notMatch(Object.keys(emptyRecord).join(' '), /temp|volt|batter|current/i);
});

/**
 * A policy as it behaves on an arm: one motion after the other, each with limits and distances of its own, as long and as different as those
 * of the policies that ship (the mean square differs by once its mean from one two seconds to the next), and one goal after the other.
 */
class Behaviour {
  readonly #random: Random;
  readonly #habits: Habits;
  #left = 0;
  #limited = 0;
  #bounded = 0;
  #square = 0;
  #goalLeft = 0;
  #still = 0;
  #error = 0;

  constructor(random: Random, habits: Habits) {
    this.#random = random;
    this.#habits = habits;
  }

  record(ticks: number): PolicyRecord {
    const random = this.#random;
    const counts = {
      limitedTicks: 0,
      boundedTicks: 0,
      missedByWork: 0,
      trackingSquareSum: 0,
      errorSquareSum: 0,
      stillSquareSum: 0,
    };
    for (let i = 0; i < ticks; i++) {
      if (this.#left-- <= 0) this.#nextMotion();
      if (random.uniform(0, 1) < this.#limited) counts.limitedTicks++;
      if (random.uniform(0, 1) < this.#bounded) counts.boundedTicks++;
      if (random.uniform(0, 1) < this.#habits.missed) counts.missedByWork++;
      counts.trackingSquareSum += this.#square;
      if (this.#goalLeft-- <= 0) this.#nextGoal();
      counts.errorSquareSum += this.#error;
      counts.stillSquareSum += this.#still;
    }
    return { ...emptyRecord, ...counts, ticks, inferP99Us: 20 };
  }

  #nextMotion(): void {
    const random = this.#random;
    const { limited, bounded, trackingRad } = this.#habits;
    const exponential = () => -Math.log(1 - random.uniform(0, 1));
    this.#left = Math.round(exponential() * hz);
    this.#limited = Math.min(1, limited * exponential());
    this.#bounded = random.uniform(0, 1) < bounded ? 1 : 0;
    this.#square = trackingRad ** 2 * exponential();
  }

  /** Three seconds; near or far, and its share as different from goal to goal (0.17), as measured on the shipped policy and on one that runs away. */
  #nextGoal(): void {
    const random = this.#random;
    this.#goalLeft = 3 * hz;
    this.#still = still * random.uniform(0, 2);
    this.#error = this.#still * Math.max(0, this.#habits.error + random.uniform(-0.3, 0.3));
  }
}

function refusals(trials: number, old: Habits, next: Habits, seenS: number): number {
  const random = new Random(3);
  let refused = 0;
  for (let i = 0; i < trials; i++) {
    const reference = new Behaviour(random, old).record(seenS * hz);
    const behaviour = new Behaviour(random, next);
    const found = (['limited', 'full'] as const).flatMap(phase =>
      judge(behaviour.record(ticksOf(phase)), reference, phase, hz),
    );
    if (found.length > 0) refused++;
  }
  return refused;
}

const trials = 2000;
for (const seenS of [5, 60, 600])
  t.test(`a policy against itself, seen for ${seenS} s, is refused in fewer than one trial of two hundred`, async t => {
    const kinds: Habits[] = [
      usual,
      { ...usual, limited: 0.2, bounded: 0.9 },
      { ...usual, limited: 0.01, bounded: 0.03, trackingRad: 0.01, missed: 0.0005 },
    ];
    for (const habits of kinds) {
      const refused = refusals(seenS === 600 ? trials / 4 : trials, habits, habits, seenS);
      t.comment(`${JSON.stringify(habits)}: ${refused}`);
      t.ok(refused < trials / 200, `${refused} of ${trials}`);
    }
  });

t.test('one that is truly worse is found in nine of ten trials', async t => {
  for (const [worse, seenS] of [
    [{ limited: 0.8 }, 60],
    [{ limited: 0.7 }, 600],
    [{ trackingRad: 0.2 }, 600],
    [{ missed: 0.05 }, 600],
    [{ error: 1 }, 5],
    [{ error: 1 }, 600],
  ] as const) {
    // What acts in nearly every tick does so in every motion: there is nothing exponential in that.
    const next = { ...usual, ...worse };
    const random = new Random(5);
    let found = 0;
    for (let i = 0; i < 200; i++) {
      const reference = new Behaviour(random, usual).record(seenS * hz);
      const record = new Behaviour(random, next).record(ticksOf('full'));
      const limitedTicks = 'limited' in worse ? Math.round(worse.limited * record.ticks) : record.limitedTicks;
      if (judge({ ...record, limitedTicks }, reference, 'full', hz).length > 0) found++;
    }
    t.comment(`${JSON.stringify(worse)}: found in ${found} of 200`);
    t.ok(found >= 180, `${found} of 200`);
  }
});
