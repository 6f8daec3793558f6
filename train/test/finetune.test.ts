/**
 * The thread from logs to a better policy, on arms in simulation: one to learn on, and a changed one that stands in for the real arm and
 * that the simulation is never told of.
 */
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { Random } from '@sim2servo/models/random';
import { changedArm } from '@sim2servo/sim/arm-variation';
import t from 'tap';
import { evaluatePolicy } from '../src/evaluate.js';
import { exportBundle } from '../src/export-bundle.js';
import { finetune } from '../src/finetune.js';
import { openOnnxPolicy } from '../src/onnx-policy.js';
import { openPolicySource } from '../src/policy-source.js';
import { createEnvironment } from '../src/robot-arm.js';
import { resumeRun, trainRun } from '../src/train-run.js';
import { defaultTrainingConfig } from '../src/training-config.js';
import { sizesOf } from '../src/training-world.js';
import { recordEpisodes, writeLog } from './environments/write-log.js';

const folder = t.testdir({ logs: {} });
const run = join(folder, 'run');
const parent = join(folder, 'parent');
const logs = join(folder, 'logs');

t.before(async () => {
  await trainRun(
    { ...defaultTrainingConfig, loop: { ...defaultTrainingConfig.loop, steps: 16_000, evaluateEvery: 4000 } },
    run,
  );
  await exportBundle({ run, out: parent });
  const { robot, task, model, config } = openPolicySource(parent);
  const { controlRateHz } = config;
  const arm = await createEnvironment({ robot: 'desk2', task: 'reach', controlRateHz, randomise: changedArm });
  const policy = await openOnnxPolicy(model, sizesOf(robot.spec));
  const options = { spec: robot.spec, task, controlRateHz, episodes: 40, exploration: 0.7, random: new Random(42) };
  await writeLog(join(logs, 'desk.mcap'), await recordEpisodes(arm, policy.act, options));
});

t.test('fine-tuning from 40 episodes wins back at least a third of what the changed arm cost', async t => {
  const bundle = join(folder, 'tuned');
  const outcome = await finetune({ from: parent, logs, out: join(folder, 'tuning'), bundle });
  t.equal(outcome.transitions, 40 * 99);
  t.equal(outcome.episodes, 40);
  const error = async (from: string, arm: 'nominal' | 'changed') =>
    (await evaluatePolicy({ from, arm })).meanErrorM * 1000;
  const nominal = await error(parent, 'nominal');
  const before = await error(parent, 'changed');
  const after = await error(bundle, 'changed');
  t.comment(
    `nominal ${nominal.toFixed(2)} mm, changed arm ${before.toFixed(2)} mm, after fine-tuning ${after.toFixed(2)} mm`,
  );
  t.ok(before > 2 * nominal, 'the change costs accuracy');
  t.ok(after < before - (before - nominal) / 3);
  const { provenance } = loadBundle(bundle).manifest;
  t.equal(provenance.parent, loadBundle(parent).digest);
  t.equal(provenance.logs.length, 1);
});

t.test('a run folder is as good a parent as a bundle', async t => {
  const outcome = await finetune({
    from: run,
    logs: join(logs, 'desk.mcap'),
    out: join(folder, 'from-run'),
    bundle: join(folder, 'from-run-bundle'),
    steps: 480,
  });
  t.ok(outcome.updates > 0);
  t.equal(loadBundle(outcome.bundle.folder).manifest.provenance.parent, undefined);
});

t.test('an interrupted fine-tuning writes no bundle, and a fine-tuning run is not resumed', async t => {
  const stop = new AbortController();
  stop.abort();
  const out = join(folder, 'stopped');
  const bundle = join(folder, 'stopped-bundle');
  await t.rejects(finetune({ from: parent, logs, out, bundle, signal: stop.signal }), {
    code: 'E_INTERRUPTED',
    exit: 'interrupt',
  });
  t.throws(() => loadBundle(bundle), { code: 'E_BUNDLE_MISSING' });
  await t.rejects(async () => resumeRun(out), { code: 'E_RESUME_FINETUNE' });
});

t.test('no logs, no fine-tuning', async t => {
  await t.rejects(
    finetune({ from: parent, logs: join(folder, 'nowhere'), out: join(folder, 'x'), bundle: join(folder, 'y') }),
    { code: 'E_LOGS' },
  );
});

t.test('the parent is not replaced by its child', async t => {
  const before = loadBundle(parent).digest;
  await t.rejects(finetune({ from: parent, logs, out: join(folder, 'itself'), bundle: `${parent}/` }), {
    code: 'E_FINETUNE_PARENT',
    exit: 'usage',
  });
  t.equal(loadBundle(parent).digest, before);
});
