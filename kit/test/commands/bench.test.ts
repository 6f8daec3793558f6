import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchmarkReport } from '@sim2servo/bench/benchmarks';
import t from 'tap';
import { errorOf, kit } from '../test-io.js';

t.test('the learner is measured, told in words, and written down', async t => {
  const out = join(t.testdir({}), 'results', 'learner.json');
  const said = await kit(`bench learner --repeats 2 --out ${out}`);
  t.equal(said.exit, 0, said.err);
  t.match(
    said.out,
    /^learner on 1 of \d+ cores .*\nhidden 256, batch 256, threads 1, updates 500:\n {2}updatesPerSecond /,
  );
  const report = JSON.parse(readFileSync(out, 'utf8')) as BenchmarkReport;
  t.match(report, { benchmark: 'learner', cores: 1, machine: { node: process.version } });
  const figures = report.rows[0]!.measured.ours!;
  t.equal(figures.length, 2);
  for (const { updatesPerSecond, heapBytesPerUpdate } of figures) {
    t.ok(updatesPerSecond! > 1, `${updatesPerSecond} updates/s`);
    // onnxruntime-node makes the names of all tensors anew for each call: 11 kB. What a loop over rows would leave is ten times that.
    t.ok(heapBytesPerUpdate! < 32_768, `an update leaves ${heapBytesPerUpdate} bytes to the garbage collector`);
  }
});

t.test('more threads than cores, a folder without peers, and a benchmark that there is not', async t => {
  const many = await kit('bench learner --threads 999 --json');
  t.equal(many.exit, 2);
  t.equal(errorOf(many).code, 'E_BENCH_THREADS');
  const nobody = await kit(`bench loop --peers ${t.testdir({})} --json`);
  t.equal(nobody.exit, 2);
  t.match(errorOf(nobody), { code: 'E_PEERS', message: /sb3 or sbx/ });
  t.equal((await kit('bench nothing --json')).exit, 2);
});
