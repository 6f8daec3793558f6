/** Against a trace that a real V8 wrote, beside what the process itself measured of its collections. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readGcTrace } from '../../src/soak/gc-trace.js';

const folder = mkdtempSync(join(tmpdir(), 'gc-trace-'));

/** Throws away enough for a number of collections, and prints how many there were. */
const wasteful = `
  import { PerformanceObserver } from 'node:perf_hooks';
  import { setTimeout as sleep } from 'node:timers/promises';
  let count = 0;
  new PerformanceObserver(list => { count += list.getEntries().filter(e => e.detail.kind === 1).length; }).observe({ entryTypes: ['gc'] });
  const kept = [];
  for (let i = 0; i < 40; i++) { for (let k = 0; k < 2e4; k++) kept[k] = { i, k }; await sleep(1); }
  await sleep(50);
  console.log(JSON.stringify({ pid: process.pid, count }));
`;

t.test('what the process saw of its collections stands in its trace, too', async t => {
  const traces = join(folder, 'traces');
  mkdirSync(traces);
  const { stdout, status } = spawnSync(
    process.execPath,
    [
      '--trace-event-categories=v8',
      `--trace-event-file-pattern=${join(traces, `t-\${rotation}.json`)}`,
      '--input-type=module',
      '-e',
      wasteful,
    ],
    { encoding: 'utf8' },
  );
  t.equal(status, 0);
  const { pid, count } = JSON.parse(stdout) as { pid: number; count: number };
  const trace = readGcTrace(traces, pid);
  t.ok(count > 0);
  t.ok(trace.count['V8.GCScavenger']! >= count, `${trace.count['V8.GCScavenger']} in the trace, ${count} seen`);
  t.ok(trace.longestUs > 0 && trace.longestCpuUs <= trace.longestUs && trace.totalUs >= trace.longestUs);
  t.same(readGcTrace(traces, pid, 3600).count, {}, 'what is skipped is not counted');
  t.throws(() => readGcTrace(traces, 1), { code: 'E_TRACE' });
});

t.test('only collections of the thread that is asked for count', async t => {
  const traces = join(folder, 'made');
  mkdirSync(traces);
  const event = (name: string, tid: number, ts: number, dur: number, more = {}) => ({
    name,
    ph: 'X',
    cat: 'v8',
    tid,
    ts,
    dur,
    ...more,
  });
  writeFileSync(
    join(traces, 'a.json'),
    JSON.stringify({
      traceEvents: [
        event('V8.GCScavenger', 7, 1_000_000, 9_000),
        event('V8.GCScavenger', 7, 3_000_000, 400, { tdur: 300 }),
        event('V8.GCIncrementalMarking', 7, 3_100_000, 1_200, { tdur: 200 }),
        event('V8.DeoptimizeCode', 7, 3_200_000, 5_000),
        event('V8.GCScavenger', 8, 3_300_000, 6_000),
        event('V8.GC_SCAVENGER', 7, 3_000_100, 390, { cat: 'devtools.timeline' }),
      ],
    }),
  );
  t.same(readGcTrace(traces, 7, 1), {
    count: { 'V8.GCScavenger': 1, 'V8.GCIncrementalMarking': 1 },
    longestUs: 1_200,
    longestCpuUs: 300,
    overMillisecond: 1,
    totalUs: 1_600,
  });
});
