/** What a reader sees: nothing is left out, and nothing of it is code. */
import { Histogram } from '@sim2servo/runtime/histogram';
import t from 'tap';
import { faultRows } from '../../src/faults/fault.js';
import type { FaultOutcome } from '../../src/faults/judge-fault.js';
import { htmlOf } from '../../src/report/html.js';
import { markdownOf } from '../../src/report/markdown.js';
import { readReport } from '../../src/report/read-report.js';
import { type HilReport, reportFormat } from '../../src/report/report.js';

const outcome: FaultOutcome = {
  row: 'disk full',
  name: 'no space <left>',
  bus: 'mqtt',
  expected: 'stops',
  passed: false,
  failures: ['it stood 240 ms after the fault could be noticed'],
  seen: 'ended: ENOSPC | a pipe',
  noticeableMs: 300,
  stoppedMs: 240,
  movedRad: 0.01,
  log: { records: 90, ticks: 100, dropped: 0, complete: false, wrong: '' },
};
function histogramOf(...values: number[]) {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram.toJSON();
}

const report: HilReport = {
  format: reportFormat,
  rig: 'all',
  passed: false,
  madeOn: {
    date: '2026-01-02',
    cpu: 'a processor',
    cores: 2,
    system: 'linux',
    node: 'v20',
    kit: '1.2',
    firmware: 'abc',
  },
  arms: [{ robot: 'so101', bus: 'feetech', rig: 'bus', checks: [{ name: 'a hold holds', passed: true, detail: '' }] }],
  faults: [outcome],
  safety: [],
  swaps: [
    {
      robot: 'so101',
      rig: 'bus',
      passed: false,
      failures: ['2 of 10 took over', 'one was refused: <no>'],
      takeovers: 2,
      missed: 0,
      missedElsewhere: 4,
      gapUs: histogramOf(20, 30),
      othersUs: histogramOf(7, 800, 90_000),
    },
  ],
  unmeasured: 'too busy',
};

t.test('the page: verdict, machine, every row, what was expected, seen, and how long it took', async t => {
  const html = htmlOf(report);
  for (const words of [
    'Something did not hold',
    'a processor',
    'stands in 240 ms',
    '240 (noticeable after 300)',
    '90 of 100 ticks',
    'too busy',
    'a hold holds',
    'so101 on bus: policies take over between two ticks: 0 ticks missed in 2 takeovers; 4 in the 3 other ticks; 2 of 10 took over; one was refused: &lt;no&gt;',
  ])
    t.ok(html.includes(words), words);
  for (const row of faultRows) t.ok(html.includes(`<td>${row}</td>`), row);
  t.ok(html.includes('no space &lt;left&gt;'), 'text is text');
  t.match(html, /prefers-color-scheme: dark/);
  t.notMatch(html, /<(?:script|link|img)|src=|url\(/, 'it needs nothing else');
});

t.test('Markdown says the same, and a pipe does not break its tables', async t => {
  const text = markdownOf(report);
  for (const words of [
    '**Something did not hold',
    '| **failed** | disk full | mqtt |',
    'ENOSPC \\| a pipe',
    'TCP delivers bytes',
    '**Not measured in real time**: too busy',
    '**failed**, so101 on bus: policies take over between two ticks: 0 ticks missed in 2 takeovers',
    '| period error at a takeover | 2 | 20 | 30 | 30 |',
  ])
    t.ok(text.includes(words), words);
  const columns = (line: string) => line.replaceAll('\\|', '').split('|').length;
  const table = text.split('\n').filter(line => line.startsWith('|') && columns(line) > 7);
  t.equal(new Set(table.map(columns)).size, 1);
});

t.test('what a takeover took and what all other ticks took stand beside each other, on one axis', t => {
  const [first, second] = htmlOf(report).split('<svg').slice(-2) as [string, string];
  t.match(first, /period error at a takeover/);
  t.match(second, /period error of all other ticks/);
  const axis = (figure: string) => [...figure.matchAll(/>([\d.]+)</g)].map(([, label]) => label);
  t.ok(axis(first).includes('10000'), `${axis(first)}`);
  t.same(axis(first), axis(second));
  t.end();
});

t.test('a report is read from its folder or by its name, and anything else is refused', async t => {
  const folder = t.testdir({
    'report.json': JSON.stringify(report),
    'older.json': JSON.stringify({ ...report, swaps: undefined }),
    'other.json': '{"format":"another"}',
    'no.json': '{',
  });
  t.same(readReport(folder), report);
  t.same(readReport(`${folder}/report.json`), report);
  t.same(readReport(`${folder}/older.json`), { ...report, swaps: [] }, 'one of before there were takeovers in it');
  t.throws(() => readReport(`${folder}/other.json`), { code: 'E_REPORT', exit: 'usage', message: /is no report/ });
  t.throws(() => readReport(`${folder}/no.json`), { code: 'E_REPORT', message: /can't read/ });
  t.throws(() => readReport(`${folder}/nowhere`), { code: 'E_REPORT', message: /nowhere/ });
});
