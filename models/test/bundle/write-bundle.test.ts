import fs, { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import t from 'tap';
import { loadBundle } from '../../src/bundle/load-bundle.js';
import { writeBundle } from '../../src/bundle/write-bundle.js';
import { sha256 } from '../../src/digest.js';
import { observationNames } from '../../src/observe.js';
import { encodeModel, floatValue } from '../../src/onnx-model.js';
import { robot, smallContent, smallModel } from './small-bundle.js';

t.test(
  'a bundle is a flat folder of four kinds of files, and the manifest lists the others with their digests',
  async t => {
    const folder = join(t.testdir({}), 'bundle');
    const digest = writeBundle(folder, smallContent({ extra: { 'learner.bin': Buffer.from('weights') } }));
    t.same(readdirSync(folder).sort(), ['golden.json', 'learner.bin', 'policy.json', 'policy.onnx']);
    const manifest = JSON.parse(readFileSync(join(folder, 'policy.json'), 'utf8')) as Record<string, unknown>;
    t.equal(digest, sha256(readFileSync(join(folder, 'policy.json'))), 'the digest returned is that of the manifest');
    t.same(manifest.files, {
      'policy.onnx': sha256(readFileSync(join(folder, 'policy.onnx'))),
      'golden.json': sha256(readFileSync(join(folder, 'golden.json'))),
      'learner.bin': sha256('weights'),
    });
  },
);

t.test('the manifest says what a runtime must know: layout, rate, scale, robot, where from', async t => {
  const folder = join(t.testdir({}), 'bundle');
  writeBundle(folder, smallContent());
  const { manifest } = loadBundle(folder);
  t.same(manifest.observation.names, observationNames(robot.spec));
  t.same(manifest.action, { names: ['shoulder', 'elbow'], kind: 'delta-position', scale: 0.06 });
  t.same(manifest.robot, { name: 'desk2', specSha256: robot.specSha256 });
  t.equal(manifest.controlRateHz, 50);
  t.equal(manifest.createdAt, '1970-01-01T00:00:00.000Z');
  t.same(manifest.provenance, smallContent().provenance);
});

t.test('the same content has the same digest', async t => {
  const folder = t.testdir({});
  t.equal(writeBundle(join(folder, 'a'), smallContent()), writeBundle(join(folder, 'b'), smallContent()));
});

t.test('folders above are made', async t => {
  const folder = join(t.testdir({}), 'deep', 'down');
  writeBundle(folder, smallContent());
  t.equal(loadBundle(folder).manifest.name, 'small');
});

t.test('an old bundle is replaced whole: no file of it is left, and nothing beside it', async t => {
  const parent = t.testdir({});
  writeBundle(join(parent, 'bundle'), smallContent({ extra: { 'learner.bin': Buffer.from('old') } }));
  writeBundle(join(parent, 'bundle'), smallContent({ name: 'new' }));
  t.equal(loadBundle(join(parent, 'bundle')).manifest.name, 'new');
  t.same(readdirSync(join(parent, 'bundle')).sort(), ['golden.json', 'policy.json', 'policy.onnx']);
  t.same(readdirSync(parent), ['bundle']);
});

t.test('what a killed writer left behind is no hindrance', async t => {
  const parent = t.testdir({ [`.bundle.${process.pid}.part`]: { 'stale.bin': 'half' } });
  writeBundle(join(parent, 'bundle'), smallContent());
  t.same(readdirSync(join(parent, 'bundle')).sort(), ['golden.json', 'policy.json', 'policy.onnx']);
  t.same(readdirSync(parent), ['bundle']);
});

t.test('a folder or file that is no bundle is not touched', async t => {
  const parent = t.testdir({ photos: { 'holiday.jpg': 'x' }, file: 'text' });
  for (const name of ['photos', 'file'])
    t.throws(() => writeBundle(join(parent, name), smallContent()), {
      code: 'E_BUNDLE_TARGET',
      exit: 'usage',
      message: new RegExp(`${name} exists and is not a bundle`),
    });
  t.same(readdirSync(join(parent, 'photos')), ['holiday.jpg']);
  t.equal(readFileSync(join(parent, 'file'), 'utf8'), 'text');
});

t.test('where writing fails the old bundle stays, no draft is left, and the error says what to do', async t => {
  // So deep that the long name no longer fits into a path: it fails half-way through the draft, for root too.
  const deep = 4096 - 56 - t.testdir({}).length;
  const parent = join(t.testdirName, `${'d'.repeat(63)}/`.repeat(Math.floor(deep / 64)));
  mkdirSync(parent, { recursive: true });
  writeBundle(join(parent, 'bundle'), smallContent());
  const extra = { ['a'.repeat(100)]: Buffer.from('x') };
  t.throws(() => writeBundle(join(parent, 'bundle'), smallContent({ name: 'new', extra })), {
    code: 'E_BUNDLE_WRITE',
    exit: 'failed',
    hint: /free some space/,
  });
  t.equal(loadBundle(join(parent, 'bundle')).manifest.name, 'small');
  t.same(readdirSync(parent), ['bundle']);
});

t.test(
  'a writer that was killed between the two renames leaves the old bundle whole, and the next ones succeed',
  async t => {
    const parent = t.testdir({});
    const target = join(parent, 'bundle');
    const aside = join(parent, `.bundle.${process.pid}.old`);
    writeBundle(aside, smallContent());
    t.equal(loadBundle(aside).manifest.name, 'small');
    for (const name of ['next', 'the one after']) {
      writeBundle(target, smallContent({ name }));
      t.equal(loadBundle(target).manifest.name, name);
    }
    t.same(readdirSync(parent), ['bundle']);
  },
);

t.test('where the new bundle cannot take its place, the old one is put back: never is there neither', async t => {
  const parent = t.testdir({});
  const target = join(parent, 'bundle');
  writeBundle(target, smallContent());
  let refused = 0;
  const { renameSync } = fs;
  t.teardown(() => {
    fs.renameSync = renameSync;
    syncBuiltinESMExports();
  });
  fs.renameSync = (from, to) => {
    if (String(from).endsWith('.part') && to === target && refused++ === 0) throw new Error('EIO: the disk is gone');
    renameSync(from, to);
  };
  // So that who imported it by name gets the failing one, too.
  syncBuiltinESMExports();
  t.throws(() => writeBundle(target, smallContent({ name: 'new' })), {
    code: 'E_BUNDLE_WRITE',
    message: /the disk is gone/,
  });
  t.equal(refused, 1, 'it got as far as the last step');
  t.equal(loadBundle(target).manifest.name, 'small');
  t.same(readdirSync(parent), ['bundle']);
});

t.test('a file in the place of a folder is an error that names the target', async t => {
  const parent = t.testdir({ file: 'text' });
  t.throws(() => writeBundle(join(parent, 'file', 'bundle'), smallContent()), {
    code: 'E_BUNDLE_WRITE',
    message: /file\/bundle/,
  });
});

t.test('nothing is written that a reader would refuse', async t => {
  const parent = t.testdir({});
  const target = join(parent, 'bundle');
  const { golden } = smallContent();
  const [first, ...rest] = golden.actions;
  t.throws(
    () =>
      writeBundle(
        target,
        smallContent({ model: encodeModel(smallModel({}, { output: [floatValue('action', [1, 9])] })) }),
      ),
    { code: 'E_MODEL_SHAPE' },
  );
  t.throws(
    () => writeBundle(target, smallContent({ golden: { ...golden, actions: [[Number.NaN, 0], ...rest] } })),
    { code: 'E_FILE_SCHEMA', message: /golden vectors.*\n {2}actions\[0\]\[0\]: / },
    'a diverged policy',
  );
  t.throws(() => writeBundle(target, smallContent({ golden: { ...golden, actions: [first!] } })), {
    code: 'E_BUNDLE_GOLDEN_SHAPE',
  });
  t.throws(() => writeBundle(target, smallContent({ controlRateHz: 0 })), {
    code: 'E_FILE_SCHEMA',
    message: /controlRateHz/,
  });
  t.throws(() => writeBundle(target, smallContent({ name: '' })), { code: 'E_FILE_SCHEMA', message: /\n {2}name: / });
  t.throws(() => writeBundle(target, smallContent({ extra: { '../evil': Buffer.of(1) } })), {
    code: 'E_FILE_SCHEMA',
    message: /files/,
  });
  for (const name of ['policy.onnx', 'golden.json', 'policy.json', 'policy.json.minisig'])
    t.throws(
      () => writeBundle(target, smallContent({ extra: { [name]: Buffer.of(1) } })),
      { code: 'E_BUNDLE_NAME' },
      name,
    );
  t.same(readdirSync(parent), []);
});
