import { join } from 'node:path';
import { checkGolden, loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { exportBundle } from '../src/export-bundle.js';
import { openOnnxPolicy } from '../src/onnx-policy.js';
import { openPolicySource } from '../src/policy-source.js';
import { trainRun } from '../src/train-run.js';
import { sizesOf } from '../src/training-world.js';
import { smallConfig } from './environments/small-run.js';

const folder = t.testdir({});
const run = join(folder, 'run');
const out = join(folder, 'bundle');

t.before(async () => {
  await trainRun({ ...smallConfig, loop: { ...smallConfig.loop, steps: 800 } }, run);
});

t.test('a run becomes a bundle that loads, and whose file does what the trainer did', async t => {
  const robot = loadRobot('desk2');
  const exported = await exportBundle({ run, out });
  const bundle = loadBundle(out, { robot });
  t.equal(exported.digest, bundle.digest);
  t.equal(exported.bytes, bundle.model.length);
  t.ok(exported.goldenMaxError < 1e-5, `${exported.goldenMaxError}`);
  t.ok(bundle.golden.observations.length >= 64);
  t.equal(bundle.manifest.provenance.seed, smallConfig.loop.seed);
  t.ok(Number.isFinite(bundle.manifest.provenance.evaluation.meanErrorMm));
  const policy = await openOnnxPolicy(bundle.model, sizesOf(robot.spec));
  t.ok((await checkGolden(bundle, policy.act)) < 1e-5);
  await policy.dispose();
});

t.test('a bundle holds all that its run’s best checkpoint knew', async t => {
  await exportBundle({ run, out, parent: 'a'.repeat(64), logs: ['b'.repeat(64)] });
  const [fromRun, fromBundle] = [openPolicySource(run), openPolicySource(out)];
  t.strictSame(fromBundle.weights, fromRun.weights);
  t.strictSame(fromBundle.config, fromRun.config);
  t.strictSame(Buffer.from(fromBundle.model), Buffer.from(fromRun.model));
  const { provenance } = loadBundle(out).manifest;
  t.equal(provenance.parent, 'a'.repeat(64));
  t.strictSame(provenance.logs, ['b'.repeat(64)]);
});

t.test('only a run can be exported', async t => {
  await t.rejects(exportBundle({ run: out, out: join(folder, 'again') }), { code: 'E_NOT_A_RUN' });
  await t.rejects(exportBundle({ run: folder, out: join(folder, 'again') }), { code: 'E_NO_POLICY' });
});
