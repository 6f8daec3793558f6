import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import {
  goldenFits,
  goldenSchema,
  isSealed,
  type Manifest,
  manifestSchema,
  runtimeNeeded,
  sealManifest,
} from '../../src/bundle/manifest.js';
import { parseJson } from '../../src/json-file.js';
import { compareVersions, runtimeVersion } from '../../src/version.js';
import { smallBundle } from './small-bundle.js';

function good(folder: string): Manifest {
  return parseJson(readFileSync(join(smallBundle(folder), 'policy.json'), 'utf8'), manifestSchema, 'manifest');
}

t.test('each complaint about a manifest names its path', async t => {
  const manifest = good(t.testdir({}));
  const digest = 'a'.repeat(64);
  const cases: [string, Record<string, unknown>][] = [
    ['format', { format: 'sim2servo/policy@2' }],
    ['name', { name: '' }],
    ['name: .*shown', { name: 'x\nsigned        with key 0123456789ABCDEF' }],
    ['robot\\.name', { robot: { ...manifest.robot, name: '\u001b[2J' } }],
    ['task', { task: 'reach\r' }],
    ['observation\\.names\\[0\\]', { observation: { names: ['a\u202eb'] } }],
    ['provenance\\.evaluation\\.', { provenance: { ...manifest.provenance, evaluation: { 'a\u0007': 1 } } }],
    ['createdAt', { createdAt: 'yesterday' }],
    ['robot\\.specSha256', { robot: { name: 'desk2', specSha256: 'ABC' } }],
    ['robot\\.specSha256', { robot: { name: 'desk2' } }],
    ['controlRateHz', { controlRateHz: 0 }],
    ['controlRateHz', { controlRateHz: 2001 }],
    ['observation\\.names', { observation: { names: [] } }],
    ['action\\.kind', { action: { ...manifest.action, kind: 'torque' } }],
    ['action\\.scale', { action: { ...manifest.action, scale: -1 } }],
    ['files', { files: { 'policy.onnx': digest } }],
    ['files', { files: { 'golden.json': digest } }],
    ['files', { files: { ...manifest.files, 'policy.json': digest } }],
    ['files\\.golden\\.json', { files: { ...manifest.files, 'golden.json': 'none' } }],
    ['provenance\\.seed', { provenance: { ...manifest.provenance, seed: 0.5 } }],
    ['provenance\\.parent', { provenance: { ...manifest.provenance, parent: 'mother' } }],
    ['provenance\\.logs\\[0\\]', { provenance: { ...manifest.provenance, logs: ['log'] } }],
    ['runtime\\.needs', { runtime: { needs: 'soon' } }],
    ['runtime: .*"gpu"', { runtime: { needs: '0.1.0', gpu: true } }],
    ['seal', { seal: undefined }],
    ['\\(top level\\): .*"colour"', { colour: 'red' }],
    ['provenance: .*"colour"', { provenance: { ...manifest.provenance, colour: 1 } }],
  ];
  for (const [path, changes] of cases)
    t.throws(
      () => parseJson(JSON.stringify({ ...manifest, ...changes }), manifestSchema, 'manifest'),
      { code: 'E_FILE_SCHEMA', message: new RegExp(`\n  ${path}`) },
      path,
    );
});

t.test('file names that would lead out of the folder are refused', async t => {
  const manifest = good(t.testdir({}));
  for (const name of ['../evil', '/etc/passwd', 'a/b', 'a\\b', '.hidden', '..', '', 'C:evil', 'a\n'])
    t.throws(
      () =>
        parseJson(
          JSON.stringify({ ...manifest, files: { ...manifest.files, x: 'a'.repeat(64) } }).replace(
            '"x"',
            JSON.stringify(name),
          ),
          manifestSchema,
          'manifest',
        ),
      { code: 'E_FILE_SCHEMA', message: /\n {2}files/ },
      JSON.stringify(name),
    );
});

t.test('a sealed text is sealed, and no other text is', async t => {
  const { seal: _, ...manifest } = good(t.testdir({}));
  const bytes = Buffer.from(sealManifest(manifest));
  const { seal } = JSON.parse(bytes.toString()) as Manifest;
  t.ok(isSealed(bytes, seal));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (position, change) => {
      const altered = Buffer.from(bytes);
      altered[position]! ^= change;
      return !isSealed(altered, seal);
    }),
    { numRuns: 500 },
  );
  for (const cut of [0, 1, 100, bytes.length - 1])
    t.notOk(isSealed(bytes.subarray(0, cut), seal), `${cut} bytes of it`);
  t.notOk(isSealed(Buffer.concat([bytes, Buffer.from('\n')]), seal), 'nor one with more at its end');
});

t.test('a digest of zeros elsewhere does not confuse the seal', async t => {
  const { seal: _, ...manifest } = good(t.testdir({}));
  const orphan = { ...manifest, provenance: { ...manifest.provenance, parent: '0'.repeat(64) } };
  const text = sealManifest(orphan);
  const read = parseJson(text, manifestSchema, 'manifest');
  t.equal(read.provenance.parent, '0'.repeat(64));
  t.ok(isSealed(Buffer.from(text), read.seal));
});

t.test('the text of a manifest does not depend on the machine: same content, same bytes', async t => {
  const { seal: _, ...manifest } = good(t.testdir({}));
  t.equal(sealManifest(manifest), sealManifest(JSON.parse(JSON.stringify(manifest)) as typeof manifest));
});

t.test('letters beyond ASCII are sealed as they are written', async t => {
  const { seal: _, ...manifest } = good(t.testdir({}));
  const text = sealManifest({ ...manifest, name: 'Größe 0,5°' });
  t.ok(isSealed(Buffer.from(text), (JSON.parse(text) as Manifest).seal));
});

t.test('what is written says which runtime it needs, and this one is it', async t => {
  t.same(good(t.testdir({})).runtime, { needs: runtimeNeeded });
  t.ok(compareVersions(runtimeNeeded, runtimeVersion) <= 0);
});

t.test('golden vectors fit when there is an action of the right size for every observation', async t => {
  t.ok(goldenFits({ observations: [[1, 2]], actions: [[3]] }, 2, 1));
  t.notOk(
    goldenFits(
      {
        observations: [
          [1, 2],
          [1, 2],
        ],
        actions: [[3]],
      },
      2,
      1,
    ),
    'one action is missing',
  );
  t.notOk(goldenFits({ observations: [[1, 2, 3]], actions: [[3]] }, 2, 1), 'an observation is too long');
  t.notOk(goldenFits({ observations: [[1, 2]], actions: [[]] }, 2, 1), 'an action is too short');
});

t.test('golden vectors are numbers, and there is at least one', async t => {
  for (const [text, path] of [
    ['{"observations":[],"actions":[]}', 'observations'],
    ['{"observations":[[null]],"actions":[[1]]}', 'observations\\[0\\]\\[0\\]'],
    ['{"observations":[[1]],"actions":[["1"]]}', 'actions\\[0\\]\\[0\\]'],
    ['{"observations":[[1]],"actions":[[1]],"more":1}', '\\(top level\\)'],
  ] as const)
    t.throws(() => parseJson(text, goldenSchema, 'golden'), {
      code: 'E_FILE_SCHEMA',
      message: new RegExp(`\n  ${path}: `),
    });
});
