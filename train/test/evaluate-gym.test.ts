import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readPolicyCheckpoint, readRunCheckpoint } from '../src/checkpoint.js';
import { encodeCheckpoint } from '../src/checkpoint-file.js';
import { evaluateGymRun, isGymRun } from '../src/evaluate-gym.js';
import { exportBundle } from '../src/export-bundle.js';
import { readMetrics } from '../src/metrics/metrics-log.js';
import { resumeRun, trainRun } from '../src/train-run.js';
import { defaultGymTrainingConfig, type GymTrainingConfig } from '../src/training-config.js';
import { smallConfig } from './environments/small-run.js';

const config: GymTrainingConfig = {
  ...defaultGymTrainingConfig,
  loop: { ...smallConfig.loop, blockSteps: 4, normaliseObservations: false },
  sac: { ...defaultGymTrainingConfig.sac, hiddenSizes: [16, 16], batchSize: 32 },
};
const folder = t.testdir({});
const run = join(folder, 'run');

t.before(async () => {
  await trainRun(config, run);
});

t.test('a run of a gym task leaves figures and returns, and speaks of no error', async t => {
  t.strictSame(readdirSync(join(run, 'figures')).sort(), ['action-usage.svg', 'entropy.svg', 'learning-curve.svg']);
  const evaluated = readMetrics(run).filter(line => line['eval/mean_reward'] !== undefined);
  t.ok(evaluated.length >= 2);
  for (const line of evaluated)
    t.notOk(
      Object.keys(line).some(name => /error|success/.test(name)),
      Object.keys(line).join(' '),
    );
});

t.test('observations reach the networks as they are', async t => {
  const { normaliser } = readPolicyCheckpoint(join(run, 'checkpoints', 'best.ckpt'));
  t.same(normaliser, { mean: new Float32Array(10), std: new Float32Array(10).fill(1) });
});

t.test('its best policy is evaluated on the same episodes every time', async t => {
  t.ok(isGymRun(run));
  const done: number[] = [];
  const first = await evaluateGymRun({ from: run, episodes: 3, onProgress: count => done.push(count) });
  t.strictSame(done, [1, 2, 3]);
  t.match(first, { task: 'gym/Reacher-v5', episodes: 3, meanLength: 50 });
  t.ok(Math.abs(first.meanReturn - first.returns.reduce((sum, value) => sum + value) / 3) < 1e-9);
  t.strictSame(await evaluateGymRun({ from: run, episodes: 3 }), first);
  t.not((await evaluateGymRun({ from: run, episodes: 3, seed: 1 })).meanReturn, first.meanReturn);
});

t.test('an evaluation can be stopped', async t => {
  const stop = new AbortController();
  const evaluation = evaluateGymRun({ from: run, episodes: 9, signal: stop.signal, onProgress: () => stop.abort() });
  await t.rejects(evaluation, { code: 'E_INTERRUPTED', message: /after 1 of 9/ });
});

t.test('it can’t be exported, and says what to do instead', async t => {
  const refused = exportBundle({ run, out: join(folder, 'bundle') });
  await t.rejects(refused, { code: 'E_NO_ROBOT', message: /gym\/Reacher-v5/, hint: /kit eval/ });
});

t.test('a run of a gym task that is interrupted goes on bit for bit', async t => {
  const parts = join(folder, 'parts');
  const stop = new AbortController();
  await trainRun(config, parts, {
    signal: stop.signal,
    onProgress: ({ step }) => {
      if (step > 500) stop.abort();
    },
  });
  await resumeRun(parts);
  const [whole, resumed] = [run, parts].map(path => readRunCheckpoint(join(path, 'checkpoints', 'latest.ckpt')));
  t.ok(encodeCheckpoint(resumed).equals(encodeCheckpoint(whole)));
});

t.test('a run of a robot, and what is no run, are none', async t => {
  await trainRun({ ...smallConfig, loop: { ...smallConfig.loop, steps: 160 } }, join(folder, 'robot'));
  t.notOk(isGymRun(join(folder, 'robot')));
  t.notOk(isGymRun(folder));
});
