import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readPolicyCheckpoint, readRunCheckpoint } from '../src/checkpoint.js';
import { encodeCheckpoint } from '../src/checkpoint-file.js';
import { readMetrics } from '../src/metrics/metrics-log.js';
import { openPolicySource } from '../src/policy-source.js';
import { openRunFolder } from '../src/run-folder.js';
import { resumeRun, trainRun } from '../src/train-run.js';
import { smallConfig } from './environments/small-run.js';

t.test('a run on the simulated arm leaves config, metrics, events, two checkpoints and three figures', async t => {
  const out = join(t.testdir({}), 'run');
  const outcome = await trainRun(smallConfig, out);
  t.ok(outcome.finished);
  t.notOk(outcome.resumeHint);
  t.strictSame(openRunFolder(out).config, smallConfig);
  t.strictSame(readdirSync(join(out, 'figures')).sort(), ['action-usage.svg', 'entropy.svg', 'learning-curve.svg']);
  t.ok(readdirSync(out).some(name => name.startsWith('events.out.tfevents.')));
  t.ok(readMetrics(out).some(line => line['eval/mean_error_mm'] !== undefined));
  t.equal(readRunCheckpoint(outcome.folder.latestCheckpoint).step, 1200);
  t.equal(readPolicyCheckpoint(outcome.folder.bestCheckpoint).step, outcome.best?.step);
  for (const name of readdirSync(join(out, 'figures')))
    t.match(readFileSync(join(out, 'figures', name), 'utf8'), /^<svg [\s\S]*<\/svg>\n$/);
});

t.test('a run that is interrupted says how to go on, and goes on bit for bit with MuJoCo in it', async t => {
  const folder = t.testdir({});
  await trainRun(smallConfig, join(folder, 'whole'));
  const stop = new AbortController();
  const stopped = await trainRun(smallConfig, join(folder, 'parts'), {
    signal: stop.signal,
    onProgress: ({ step }) => {
      if (step > 500) stop.abort();
    },
  });
  t.notOk(stopped.finished);
  t.match(stopped.resumeHint, `kit train --resume ${join(folder, 'parts')}`);
  const resumed = await resumeRun(join(folder, 'parts'));
  t.ok(resumed.finished);
  const [whole, parts] = ['whole', 'parts'].map(name =>
    readRunCheckpoint(join(folder, name, 'checkpoints', 'latest.ckpt')),
  );
  t.ok(encodeCheckpoint(parts).equals(encodeCheckpoint(whole)));
  const steps = readMetrics(join(folder, 'parts')).map(line => line['time/total_timesteps']);
  t.strictSame(
    [...new Set(steps)],
    [...new Set(readMetrics(join(folder, 'whole')).map(line => line['time/total_timesteps']))].sort(
      (a, b) => steps.indexOf(a) - steps.indexOf(b),
    ),
    'no line twice, none missing',
  );
});

t.test('a run at another rate begins with the policy, the critics and the scale of one that is done', async t => {
  const folder = t.testdir({});
  const parent = await trainRun({ ...smallConfig, loop: { ...smallConfig.loop, steps: 800 } }, join(folder, 'parent'));
  const { weights, checkpoint, path } = openPolicySource(parent.folder.path);
  const { loop } = smallConfig;
  // It ends where learning would start: what is kept is what was given.
  const config = {
    ...smallConfig,
    controlRateHz: 100,
    startedFrom: path,
    loop: { ...loop, steps: loop.learningStarts },
  };
  const begun = await trainRun(config, join(folder, 'begun'), {}, weights);
  const kept = readPolicyCheckpoint(begun.folder.bestCheckpoint);
  t.strictSame(kept.engine.parameters, checkpoint!.engine.parameters);
  t.strictSame(kept.normaliser, checkpoint!.normaliser);
  t.strictSame(openRunFolder(begun.folder.path).config, config);
  t.equal((await resumeRun(begun.folder.path, { steps: 480 })).step, 480, 'and it is resumed like one from nothing');
});

t.test('a finished run can be taken further', async t => {
  const out = join(t.testdir({}), 'run');
  await trainRun({ ...smallConfig, loop: { ...smallConfig.loop, steps: 600 } }, out);
  const further = await resumeRun(out, { steps: 800 });
  t.equal(further.step, 800);
});

t.test('an unknown robot makes no run', async t => {
  const out = join(t.testdir({}), 'run');
  await t.rejects(trainRun({ ...smallConfig, robot: 'nobody' }, out), { code: 'E_ROBOT_UNKNOWN' });
  t.notOk(existsSync(join(out, 'checkpoints', 'latest.ckpt')));
});

t.test('a folder that cannot be written any more stops no run: it is said once, and at the end', async t => {
  const folder = join(t.testdir(), 'run');
  const warnings: string[] = [];
  let broken = false;
  const outcome = await trainRun(smallConfig, folder, {
    onWarning: warning => warnings.push(warning),
    onProgress: () => {
      if (broken) return;
      broken = true;
      rmSync(join(folder, 'checkpoints'), { recursive: true });
      writeFileSync(join(folder, 'checkpoints'), 'in the way');
    },
  });
  t.ok(outcome.finished);
  // The figures are drawn from the checkpoint.
  t.same([...outcome.unsaved].sort(), ['the best policy', 'the checkpoint', 'the figures']);
  t.equal(warnings.length, 3, 'once for each kind');
  for (const warning of warnings) t.match(warning, /^can't save the .*ENOTDIR.*; training goes on/);
});

t.test('learning that diverges says at which step, in which tensor, and what is left', async t => {
  const config = { ...smallConfig, sac: { ...smallConfig.sac, learningRate: 1e18 } };
  await t.rejects(trainRun(config, join(t.testdir(), 'run')), {
    code: 'E_DIVERGED',
    message: /^Learning diverged at step 4\d\d\. The loss of .* is NaN in update \d+\. .* is [\de.+]+, in critics\//,
    hint: /^no checkpoint was saved yet; /,
  });
});
