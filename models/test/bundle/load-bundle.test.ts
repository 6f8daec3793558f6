import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { checkGolden, loadBundle } from '../../src/bundle/load-bundle.js';
import { sha256 } from '../../src/digest.js';
import { KitError } from '../../src/error.js';
import { encodeModel } from '../../src/onnx-model.js';
import { desk2With } from '../arms.js';
import { forge, robot, smallBundle, smallContent, smallModel, smallPolicy } from './small-bundle.js';

t.test('a good bundle comes back as it was written', async t => {
  const extra = { 'learner.bin': Buffer.from('weights') };
  const folder = smallBundle(t.testdir({}), { extra });
  const bundle = loadBundle(folder, { robot });
  t.equal(bundle.folder, folder);
  t.equal(bundle.digest, sha256(readFileSync(join(folder, 'policy.json'))));
  t.equal(Buffer.compare(bundle.model, smallContent().model), 0);
  t.same(bundle.golden, smallContent().golden);
  t.same([...bundle.extra!.keys()], ['learner.bin']);
  t.equal(bundle.extra!.get('learner.bin')!.toString(), 'weights');
  t.equal(bundle.signature, undefined);
  t.same(bundle.manifest.runtime, { needs: '0.1.0' });
});

t.test('a folder that is none, or lacks a file, is refused', async t => {
  const parent = t.testdir({ empty: {} });
  t.throws(() => loadBundle(join(parent, 'none')), {
    code: 'E_BUNDLE_MISSING',
    exit: 'usage',
    message: /policy\.json/,
  });
  t.throws(() => loadBundle(join(parent, 'empty')), { code: 'E_BUNDLE_MISSING' });
  for (const name of ['policy.onnx', 'golden.json']) {
    const folder = smallBundle(join(parent, name));
    rmSync(join(folder, name));
    t.throws(() => loadBundle(folder), { code: 'E_BUNDLE_MISSING', message: new RegExp(name) });
  }
});

t.test('a byte changed anywhere in any file is refused, and the message names the file', async t => {
  const folder = smallBundle(t.testdir({}), { extra: { 'learner.bin': Buffer.from('weights') } });
  const files = ['policy.json', 'policy.onnx', 'golden.json', 'learner.bin'].map(name => ({
    path: join(folder, name),
    name,
    bytes: readFileSync(join(folder, name)),
  }));
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.integer({ min: 1, max: 255 }),
      ({ path, name, bytes }, share, change) => {
        const altered = Buffer.from(bytes);
        altered[Math.floor(share * bytes.length)]! ^= change;
        writeFileSync(path, altered);
        try {
          loadBundle(folder, { robot });
        } catch (error) {
          const expected = ['E_BUNDLE_DIGEST', ...(name === 'policy.json' ? ['E_FILE_JSON', 'E_FILE_SCHEMA'] : [])];
          return error instanceof KitError && expected.includes(error.code) && error.message.includes(name);
        } finally {
          writeFileSync(path, bytes);
        }
        return false;
      },
    ),
    { numRuns: 400 },
  );
  t.doesNotThrow(() => loadBundle(folder, { robot }), 'and with its bytes back it loads again');
});

t.test('a file that is cut off is refused', async t => {
  for (const name of ['policy.json', 'policy.onnx', 'golden.json']) {
    const folder = smallBundle(join(t.testdir({}), name));
    truncateSync(join(folder, name), readFileSync(join(folder, name)).length - 1);
    t.throws(() => loadBundle(folder), { code: /E_BUNDLE_DIGEST/, message: new RegExp(name) }, name);
  }
});

t.test('a manifest without a digest for the policy or its golden vectors is refused', async t => {
  for (const name of ['policy.onnx', 'golden.json']) {
    const folder = forge(smallBundle(join(t.testdir({}), name)), manifest => {
      const { [name]: _, ...files } = manifest.files as Record<string, string>;
      manifest.files = files;
    });
    t.throws(() => loadBundle(folder), {
      code: 'E_FILE_SCHEMA',
      message: /files: must list policy\.onnx and golden\.json/,
    });
  }
});

t.test('a name that leads out of the folder is refused before anything is read', async t => {
  const parent = t.testdir({ secret: 'key' });
  const folder = forge(smallBundle(parent), manifest => {
    manifest.files = { ...(manifest.files as object), '../secret': sha256('key') };
  });
  t.throws(() => loadBundle(folder), { code: 'E_FILE_SCHEMA', message: /files/ });
});

t.test('a symlink, a folder, or anything else in the place of a file is refused', async t => {
  const parent = t.testdir({});
  for (const name of ['policy.json', 'policy.onnx', 'golden.json']) {
    const folder = smallBundle(join(parent, name));
    const elsewhere = join(parent, `${name}-elsewhere`);
    writeFileSync(elsewhere, readFileSync(join(folder, name)));
    rmSync(join(folder, name));
    symlinkSync(elsewhere, join(folder, name));
    t.throws(() => loadBundle(folder), {
      code: 'E_BUNDLE_FILE_KIND',
      message: new RegExp(`${name} is not a regular file`),
    });
    rmSync(join(folder, name));
    mkdirSync(join(folder, name));
    t.throws(() => loadBundle(folder), { code: 'E_BUNDLE_FILE_KIND' });
  }
});

t.test('a file beyond 64 MiB is refused by its size, unread', async t => {
  for (const name of ['policy.json', 'policy.onnx', 'golden.json']) {
    const folder = smallBundle(join(t.testdir({}), name));
    truncateSync(join(folder, name), 64 * 2 ** 20 + 1); // sparse: takes no room
    t.throws(() => loadBundle(folder), { code: 'E_BUNDLE_SIZE', message: /67108865 bytes/ }, name);
  }
});

t.test('a policy for another robot is refused, and says which', async t => {
  const folder = smallBundle(t.testdir({}));
  t.throws(() => loadBundle(folder, { robot: { spec: desk2With({ name: 'desk3' }), specSha256: robot.specSha256 } }), {
    code: 'E_BUNDLE_ROBOT',
    exit: 'usage',
    message: /for robot 'desk2', not for 'desk3'/,
    hint: /--robot desk2/,
  });
});

t.test('a policy for another version of the robot is refused', async t => {
  const folder = smallBundle(t.testdir({}));
  t.throws(() => loadBundle(folder, { robot: { spec: robot.spec, specSha256: 'f'.repeat(64) } }), {
    code: 'E_BUNDLE_SPEC',
    message: /another version of robot 'desk2' \([0-9a-f]{12}…, here f{12}…\)/,
  });
});

t.test('a layout that is not the robot’s is refused, be it of observations or of actions', async t => {
  const names = (part: 'observation' | 'action') => (manifest: Record<string, unknown>) => {
    const layout = manifest[part] as { names: string[] };
    layout.names = [...layout.names].reverse();
  };
  for (const part of ['observation', 'action'] as const) {
    const folder = forge(smallBundle(join(t.testdir({}), part)), names(part));
    t.throws(() => loadBundle(folder, { robot }), { code: 'E_BUNDLE_LAYOUT', message: /layout/ }, part);
    t.doesNotThrow(() => loadBundle(folder), 'without a robot to compare with it is readable, for `kit inspect`');
  }
});

t.test('a model that is not let in is refused although every digest fits', async t => {
  const evil = smallModel({ opsetImport: [{ domain: 'com.evil', version: 1 }] });
  const folder = forge(smallBundle(t.testdir({})), () => undefined, { 'policy.onnx': encodeModel(evil) });
  t.throws(() => loadBundle(folder), { code: 'E_MODEL_DOMAIN' });
});

t.test('golden vectors of other sizes are refused although every digest fits', async t => {
  for (const golden of [
    { observations: [[1]], actions: [[1, 2]] },
    { observations: smallContent().golden.observations, actions: [[1, 2]] },
  ]) {
    const folder = forge(smallBundle(t.testdir({})), () => undefined, { 'golden.json': JSON.stringify(golden) });
    t.throws(() => loadBundle(folder), { code: 'E_BUNDLE_GOLDEN_SHAPE', message: /golden\.json/ });
  }
});

t.test('a manifest of another format is refused', async t => {
  const folder = forge(smallBundle(t.testdir({})), manifest => {
    manifest.format = 'sim2servo/policy@9';
  });
  t.throws(() => loadBundle(folder), { code: 'E_FILE_SCHEMA', message: /format/ });
});

t.test('golden vectors that this machine computes alike pass, and the largest difference is returned', async t => {
  const bundle = loadBundle(smallBundle(t.testdir({})));
  t.equal(await checkGolden(bundle, smallPolicy), 0);
  const off = async (observation: Float32Array) => smallPolicy(observation).map(action => action + 9e-6);
  const worst = await checkGolden(bundle, off);
  t.ok(Math.abs(worst - 9e-6) < 1e-12, `${worst}`);
});

t.test('golden vectors that differ by more than 1e-5, or are no numbers, are refused', async t => {
  const bundle = loadBundle(smallBundle(t.testdir({})));
  const refused = {
    code: 'E_BUNDLE_GOLDEN',
    message: /golden vector 0 gives .* the trainer gave .* \(tolerance 0\.00001\)/,
  };
  await t.rejects(
    checkGolden(bundle, o => smallPolicy(o).map(action => action + 1.1e-5)),
    refused,
  );
  await t.rejects(
    checkGolden(bundle, o => smallPolicy(o).map(action => action - 1.1e-5)),
    refused,
  );
  await t.rejects(
    checkGolden(bundle, o => smallPolicy(o).map(() => Number.NaN)),
    refused,
  );
  await t.rejects(
    checkGolden(bundle, o => smallPolicy(o).slice(1)),
    { code: 'E_BUNDLE_GOLDEN', message: /gives 1 numbers, the trainer gave 2/ },
  );
});

t.test('a difference in the last golden vector alone is seen', async t => {
  const bundle = loadBundle(smallBundle(t.testdir({})));
  const last = bundle.golden.observations.length - 1;
  let calls = 0;
  await t.rejects(
    checkGolden(bundle, o => smallPolicy(o).map(action => (calls++ >= 2 * last ? action + 1 : action))),
    { code: 'E_BUNDLE_GOLDEN', message: new RegExp(`golden vector ${last} `) },
  );
});
