import { spawnSync } from 'node:child_process';
import t from 'tap';

const program = `
  const { desk2, atRest } = await import(process.argv[1]);
  const { sense, command } = await import(process.argv[2]);
  const { observe, observationSize } = await import(process.argv[3]);
  const state = atRest(desk2);
  const observation = new Float32Array(observationSize(desk2));
  const action = new Float32Array(2);
  const targets = new Float64Array(2);
  const executed = new Float32Array(2);
  const measured = new Float64Array(2);
  function ticks(count, waste) {
    let kept;
    for (let i = 0; i < count; i++) {
      measured[0] = Math.sin(i / 50);
      measured[1] = 1.2 + Math.cos(i / 70);
      sense(state, measured, 0.02);
      observe(desk2, state, observation);
      action[0] = Math.sin(i / 9);
      action[1] = Math.cos(i / 7);
      command(desk2, state, action, 0.02, 1, targets, executed);
      if (waste) kept = new Array(8).fill(i);
    }
    return kept;
  }
  ticks(100_000, false); ticks(100_000, true);
  console.log('begin');
  ticks(400_000, process.argv[4] === 'waste');
  console.log('end');`;

/** How often memory was collected in 400 000 ticks. */
function collections(waste: string): number {
  const modules = ['./arms.js', '../src/control-step.js', '../src/observe.js'].map(
    path => new URL(path, import.meta.url).href,
  );
  const { stdout, stderr } = spawnSync(
    process.execPath,
    // One thread: or, on a busy machine, code that is not compiled yet goes on boxing its numbers.
    [
      '--trace-gc',
      '--single-threaded',
      '--max-semi-space-size=1',
      '--input-type=module',
      '-e',
      program,
      ...modules,
      waste,
    ],
    // What the test runner loads into every program of its own makes garbage, too.
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  );
  const [, between = stderr] = /begin\n([\s\S]*)end\n/.exec(stdout) ?? [];
  return between.split('\n').filter(line => /Scavenge|Mark-Compact/.test(line)).length;
}

t.test('a tick writes into the buffers it is given and makes no garbage', async t => {
  const found = collections('');
  // A single object a tick would be some 10 MB, ten times what is there before a collection.
  t.ok(found <= 5, `${found} collections in 400 000 ticks`);
});

t.test('garbage would be seen', async t => {
  const found = collections('waste');
  t.ok(found > 10, `${found} collections with one small array a tick`);
});
