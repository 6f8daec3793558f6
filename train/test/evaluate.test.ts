import { join } from 'node:path';
import t from 'tap';
import { evaluatePolicy } from '../src/evaluate.js';
import { trainRun } from '../src/train-run.js';
import { smallConfig } from './environments/small-run.js';

const run = join(t.testdir({}), 'run');

t.before(async () => {
  await trainRun({ ...smallConfig, loop: { ...smallConfig.loop, steps: 800 } }, run);
});

t.test('a policy is judged on the same held-out targets every time', async t => {
  const [first, second] = [
    await evaluatePolicy({ from: run, targets: 4 }),
    await evaluatePolicy({ from: run, targets: 4 }),
  ];
  t.strictSame(second, first);
  t.equal(first.targets.length, 4);
  t.equal(first.meanLength, 100);
  t.ok(first.meanErrorM > 0 && first.meanErrorM <= first.maxErrorM);
  t.equal(first.reached, first.targets.filter(target => target.errorM < 0.01).length);
});

t.test('another arm gives another result', async t => {
  const [nominal, changed, drawn] = [
    await evaluatePolicy({ from: run, targets: 3 }),
    await evaluatePolicy({ from: run, targets: 3, arm: 'changed' }),
    await evaluatePolicy({ from: run, targets: 3, arm: 'randomised', seed: 1 }),
  ];
  t.not(changed.meanErrorM, nominal.meanErrorM);
  t.not(drawn.meanErrorM, nominal.meanErrorM);
});

t.test('from random postures the targets and the arms are the same, the starts are not home', async t => {
  const options = { from: run, targets: 3, arm: 'randomised' } as const;
  const [home, anywhere, again] = [
    await evaluatePolicy(options),
    await evaluatePolicy({ ...options, start: 'random' }),
    await evaluatePolicy({ ...options, start: 'random' }),
  ];
  t.equal(home.start, 'home');
  t.equal(anywhere.start, 'random');
  t.not(anywhere.meanErrorM, home.meanErrorM);
  t.strictSame(again, anywhere);
});

t.test('an evaluation can be stopped, and tells how far it is', async t => {
  const stop = new AbortController();
  const done: number[] = [];
  const evaluation = evaluatePolicy({
    from: run,
    targets: 5,
    signal: stop.signal,
    onProgress: count => {
      done.push(count);
      if (count === 2) stop.abort();
    },
  });
  await t.rejects(evaluation, { code: 'E_INTERRUPTED', exit: 'interrupt', message: /after 2 of 5/ });
  t.strictSame(done, [1, 2]);
});

t.test('what is neither run nor bundle is refused', async t => {
  await t.rejects(async () => evaluatePolicy({ from: join(run, 'figures') }), { code: 'E_NO_POLICY' });
});
