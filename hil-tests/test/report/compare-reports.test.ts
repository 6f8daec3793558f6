import { Random } from '@sim2servo/models/random';
import { Histogram } from '@sim2servo/runtime/histogram';
import type { TickPhase } from '@sim2servo/runtime/tick-timing';
import { tickPhases } from '@sim2servo/runtime/tick-timing';
import t from 'tap';
import type { FaultOutcome } from '../../src/faults/judge-fault.js';
import { compareReports, intervalOf } from '../../src/report/compare-reports.js';
import type { HilReport, Latency, RealTimeReport, SwapResult } from '../../src/report/report.js';

/** Three runs of 1 000 lognormal records each, around `us`. */
function latency(us: number, seed: number, spread = 0.2): Latency {
  const random = new Random(seed);
  const whole = new Histogram();
  const runs = Array.from({ length: 3 }, () => {
    const run = new Histogram();
    for (let i = 0; i < 1000; i++) run.record(us * Math.exp(spread * random.normal()));
    whole.add(run.toJSON());
    return run.summary();
  });
  return { whole: whole.toJSON(), runs };
}

const fault: FaultOutcome = {
  row: 'no reply',
  name: 'no reply any more',
  bus: 'feetech',
  expected: 'stops',
  passed: true,
  failures: [],
  seen: 'stopped and held',
  noticeableMs: 10,
  stoppedMs: 60,
  movedRad: 0,
  log: { records: 180, ticks: 180, dropped: 0, complete: true, wrong: '' },
};

const swap: SwapResult = {
  robot: 'so101',
  rig: 'bus-lockstep',
  passed: true,
  failures: [],
  takeovers: 10,
  missed: 0,
  missedElsewhere: 0,
  gapUs: new Histogram().toJSON(),
  othersUs: new Histogram().toJSON(),
};

function report(us: number, seed: number, over: Partial<HilReport> = {}): HilReport {
  const phases = Object.fromEntries(Object.keys(tickPhases).map((phase, i) => [phase, latency(us, seed + 100 * i)]));
  return {
    format: 'sim2servo/hil-report@1',
    rig: 'bus',
    passed: true,
    madeOn: { date: '', cpu: '', cores: 2, system: '', node: '', kit: '', firmware: '' },
    arms: [
      { robot: 'so101', bus: 'feetech', rig: 'bus', checks: [{ name: 'a hold holds', passed: true, detail: '' }] },
    ],
    faults: [fault],
    safety: [],
    swaps: [swap],
    realTime: {
      robot: 'so101',
      bus: 'feetech',
      rateHz: 100,
      ticks: 3000,
      missed: 0,
      stale: 0,
      phases: phases as Record<TickPhase, Latency>,
      punctual: { name: 'the loop keeps 100 Hz', passed: true, detail: '' },
      killed: { passed: true, stoppedMs: 90, limitMs: 200, log: fault.log },
    },
    unmeasured: '',
    ...over,
  };
}

t.test('two samples of the same machine: nothing got worse', async t => {
  for (let seed = 1; seed <= 20; seed++) t.same(compareReports(report(100, seed), report(100, seed + 5000)), []);
});

t.test('half as slow again is seen in every quantile that has enough records', async t => {
  const worse = compareReports(report(100, 1), report(150, 7000)).map(({ what }) => what);
  t.ok(worse.includes('inference, p50'));
  t.ok(worse.includes('inference, p99'));
  t.notOk(
    worse.some(what => what.includes('p999')),
    'of 3000 records three lie above it: nobody can tell',
  );
  t.same(compareReports(report(150, 7000), report(100, 1)), [], 'faster is not worse');
});

t.test('a machine whose runs differ that much is not accused of it', async t => {
  const before = report(100, 1);
  const slow = latency(160, 3).runs[0]!;
  const { inferUs } = before.realTime!.phases;
  const noisy: HilReport = {
    ...before,
    realTime: {
      ...before.realTime!,
      phases: { ...before.realTime!.phases, inferUs: { ...inferUs, runs: [...inferUs.runs.slice(1), slow] } },
    },
  };
  const what = compareReports(noisy, report(140, 7000)).map(worse => worse.what);
  t.notOk(what.includes('inference, p50'));
  t.ok(what.includes('read, p50'));
});

t.test('what held and no longer does, or is no longer tested, is named', async t => {
  const before = report(100, 1);
  const failed = report(100, 1, { faults: [{ ...fault, passed: false }] });
  t.match(compareReports(before, failed), [{ what: 'no reply any more (feetech)', before: 'held', after: 'failed' }]);
  const arms = before.arms.map(arm => ({ ...arm, checks: [] }));
  t.match(compareReports(before, report(100, 1, { arms })), [
    { what: 'a hold holds (so101 on bus)', after: 'was not tested' },
  ]);
  t.match(compareReports(before, report(100, 1, { swaps: [{ ...swap, passed: false, missed: 3 }] })), [
    { what: 'policies take over (so101 on bus-lockstep)', before: 'held', after: 'failed' },
  ]);
  t.same(compareReports(failed, failed), [], 'what failed before did not get worse');
});

t.test('an arm that stands later counts beyond a control period', async t => {
  const later = (ms: number) => report(100, 1, { faults: [{ ...fault, stoppedMs: ms }] });
  t.same(compareReports(report(100, 1), later(80)), []);
  t.match(compareReports(report(100, 1), later(81)), [{ before: 'stood after 60 ms', after: 'stood after 81 ms' }]);
});

/** A report of so many missed and stale ticks, the same in each of three runs unless the last one has them all. */
function counted(missed: number, stale: number, allInOne = false): HilReport {
  const runs = [0, 1, 2].map(run => {
    const part = allInOne ? Number(run === 2) : 1 / 3;
    return { ticks: 1000, missed: missed * part, stale: stale * part };
  });
  return withRealTime({ missed, stale, runs });
}

function withRealTime(over: Partial<RealTimeReport>): HilReport {
  const whole = report(100, 1);
  return { ...whole, realTime: { ...whole.realTime!, ...over } };
}

t.test('more missed and more stale ticks count beyond the noise, and fewer do not', async t => {
  t.match(compareReports(counted(3, 0), counted(90, 0)), [
    { what: 'control periods missed', before: /^3 of 3003 \(0\.0 % to 0\.4 %\)$/, after: /^90 of 3090 / },
  ]);
  t.match(compareReports(counted(0, 3), counted(0, 90)), [
    { what: 'ticks without a fresh sample', before: /^3 of 3000 /, after: /^90 of 3000 \(2\.3 % to 3\.9 %\)$/ },
  ]);
  t.same(compareReports(counted(3, 3), counted(9, 9)), [], 'chance');
  t.same(compareReports(counted(3, 3), counted(90, 90, true)), [], 'one run of three: the machine');
  t.same(compareReports(counted(90, 90), counted(3, 3)), []);
  const { runs: _, ...older } = counted(90, 0).realTime!;
  t.match(compareReports(counted(3, 0), { ...report(100, 1), realTime: older }), [{ what: 'control periods missed' }]);
});

t.test('what was measured in real time and no longer is, is named', async t => {
  const before = report(100, 1);
  const { realTime: _, ...after } = before;
  t.match(compareReports(before, { ...after, unmeasured: 'the machine is too busy' }), [
    { what: 'the loop keeps 100 Hz', after: 'was not tested' },
    { what: 'kill -9 of a real host', after: 'was not tested' },
    {
      what: 'a host program in real time',
      before: 'measured',
      after: 'was not measured: the machine is too busy',
    },
  ]);
  const { whole } = latency(20, 9);
  const board = { sensorToRegisterUs: whole, registerToPulseUs: whole };
  t.match(compareReports(withRealTime({ board }), before), [
    { what: 'sensor to register, in the board', after: 'was not measured' },
    { what: 'register to end of pulse, in the board', after: 'was not measured' },
  ]);
  const none = { ...board, sensorToRegisterUs: new Histogram().toJSON() };
  t.match(compareReports(withRealTime({ board }), withRealTime({ board: none })), [
    { what: 'sensor to register, in the board', after: 'was not measured' },
  ]);
  t.same(compareReports({ ...after, unmeasured: '' }, before), [], 'more is measured than before');
});

t.test('reports of different robots, rigs or rates are not compared', async t => {
  const before = report(100, 1);
  const arms = before.arms.map(arm => ({ ...arm, robot: 'koch' }));
  for (const [other, message] of [
    [{ ...before, arms }, /not of the same robot: so101, and then koch/],
    [{ ...before, rig: 'bus-lockstep' }, /not of the same rig: bus, and then bus-lockstep/],
    [withRealTime({ rateHz: 50 }), /not of the same rate: 100 Hz, and then 50 Hz/],
  ] as const)
    t.throws(() => compareReports(before, other), { code: 'E_REPORT_PAIR', exit: 'usage', message });
});

t.test('the interval of a quantile holds the true one, in about 99 of 100 samples', async t => {
  let held = 0;
  for (let seed = 0; seed < 200; seed++) {
    const [low, high] = intervalOf({ whole: latency(100, seed).whole, runs: [] }, 'p50');
    if (low <= 100 && 100 <= high) held++;
  }
  t.ok(held >= 194, `${held} of 200`);
  t.same(intervalOf({ whole: new Histogram().toJSON(), runs: [] }, 'p50'), [Number.NaN, Number.NaN]);
});
