import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { checkGolden, loadBundle, readExtra } from '../../src/bundle/load-bundle.js';
import { bundleLimits } from '../../src/bundle/manifest.js';
import { sequenceComment } from '../../src/bundle/sequence.js';
import type { BundleExpectation } from '../../src/bundle/signed-manifest.js';
import { sha256 } from '../../src/digest.js';
import { KitError } from '../../src/error.js';
import { encodeModel } from '../../src/onnx-model.js';
import { desk2With } from '../arms.js';
import { testKey } from './cheap-key.js';
import { recorded, signedBundle, signFolder } from './signed-bundle.js';
import { forge, robot, smallBundle, smallContent, smallModel, smallPolicy } from './small-bundle.js';

t.test('a good bundle comes back as it was written', async t => {
  const extra = { 'learner.bin': Buffer.from('weights') };
  const folder = smallBundle(t.testdir({}), { extra });
  const bundle = loadBundle(folder, { robot });
  t.equal(bundle.folder, folder);
  t.equal(bundle.digest, sha256(readFileSync(join(folder, 'policy.json'))));
  t.equal(Buffer.compare(bundle.model, smallContent().model), 0);
  t.same(bundle.golden, smallContent().golden);
  t.equal(Buffer.from(readExtra(bundle, 'learner.bin')!).toString(), 'weights');
  t.equal(readExtra(bundle, 'toString'), undefined);
  writeFileSync(join(folder, 'learner.bin'), 'weighed');
  t.throws(() => readExtra(bundle, 'learner.bin'), { code: 'E_BUNDLE_DIGEST', message: /learner\.bin/ });
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

t.test('a file beyond 64 MiB, or a manifest beyond 256 KiB, is refused by its size, unread', async t => {
  for (const [name, most] of [
    ['policy.json', 262_144],
    ['policy.onnx', 67_108_864],
    ['golden.json', 67_108_864],
  ] as const) {
    const folder = smallBundle(join(t.testdir({}), name));
    truncateSync(join(folder, name), most + 1); // sparse: takes no room
    t.throws(() => loadBundle(folder), { code: 'E_BUNDLE_SIZE', message: new RegExp(`${most + 1} bytes`) }, name);
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

t.test('where a site trusts keys', async t => {
  const key = testKey();
  const trustedKeys = [key.line];
  t.testdir({});

  t.test('a signed bundle loads, says who signed it, and every file is opened once, the signed ones first', async t => {
    const folder = signedBundle(t.testdir({}), key, { extra: { 'learner.bin': Buffer.from('weights') } });
    const parts = recorded(folder);
    t.same(loadBundle(folder, { trustedKeys, robot }, parts).signature, { keyId: key.id, sequence: 7 });
    t.same(parts.opened, ['policy.json', 'policy.json.minisig', '*', 'policy.onnx', 'golden.json', 'learner.bin']);
  });

  t.test('nothing of a bundle is opened but its manifest and the signature, before these are believed', async t => {
    const revokedKeys = [key.id];
    const elsewhere = { spec: desk2With({ name: 'desk3' }), specSha256: robot.specSha256 };
    const altered = (folder: string) => forge(folder, manifest => Object.assign(manifest, { controlRateHz: 51 }));
    const cases: readonly (readonly [string, (folder: string) => string, BundleExpectation?])[] = [
      ['E_BUNDLE_UNSIGNED', folder => smallBundle(folder)],
      ['E_SIGNATURE_WRONG', folder => altered(signedBundle(folder, key))],
      ['E_SIGNATURE_KEY', folder => signedBundle(folder, testKey())],
      ['E_SIGNATURE_WRONG', folder => signedBundle(folder, testKey(key.id))],
      ['E_SIGNATURE_REVOKED', folder => signedBundle(folder, key), { revokedKeys }],
      ['E_SIGNATURE_SEQUENCE', folder => signFolder(smallBundle(folder), key, 'hello')],
      ['E_BUNDLE_ROBOT', folder => signedBundle(folder, key), { robot: elsewhere }],
      ['E_BUNDLE_RUNTIME', folder => signedBundle(folder, key), { runtimeVersion: '0.0.9' }],
    ];
    for (const [i, [code, make, expected]] of cases.entries()) {
      const folder = make(join(t.testdirName, `${i}`));
      // Whoever opened one of these would wait here for ever.
      for (const name of ['policy.onnx', 'golden.json']) {
        rmSync(join(folder, name));
        t.equal(spawnSync('mkfifo', [join(folder, name)]).status, 0);
      }
      const parts = recorded(folder);
      t.throws(() => loadBundle(folder, { trustedKeys, robot, ...expected }, parts), { code }, code);
      const signed = code !== 'E_BUNDLE_UNSIGNED';
      t.same(parts.opened, ['policy.json', 'policy.json.minisig'], `${code}: ${signed ? 'signed' : 'unsigned'}`);
      t.throws(() => loadBundle(folder, { trustedKeys, robot, ...expected }), { code });
    }
  });

  t.test('a model or golden vectors that are not what was signed are read, and not parsed', async t => {
    for (const [name, poison] of [
      ['policy.onnx', 'not a model'],
      ['golden.json', '{"observations":'],
    ] as const) {
      const folder = signedBundle(join(t.testdirName, name), key);
      writeFileSync(join(folder, name), poison);
      t.throws(() => loadBundle(folder, { trustedKeys }), { code: 'E_BUNDLE_DIGEST', message: new RegExp(name) });
    }
  });

  t.test('one that was forged with fitting digests and seal is refused by its signature alone', async t => {
    const folder = forge(signedBundle(t.testdir({}), key), manifest => Object.assign(manifest, { controlRateHz: 51 }));
    t.throws(() => loadBundle(folder, { trustedKeys }), { code: 'E_SIGNATURE_WRONG' });
    t.doesNotThrow(() => loadBundle(folder), 'which alone can tell: a seal is no signature');
  });

  t.test('a symlink in the place of the signature is refused, and so is one that is too large', async t => {
    const folder = signedBundle(t.testdir({}), key);
    const path = join(folder, 'policy.json.minisig');
    truncateSync(path, bundleLimits.signatureBytes + 1);
    t.throws(() => loadBundle(folder, { trustedKeys }), { code: 'E_BUNDLE_SIZE', message: /minisig has 16385 bytes/ });
    const elsewhere = join(folder, '..', 'elsewhere.minisig');
    writeFileSync(elsewhere, '');
    rmSync(path);
    symlinkSync(elsewhere, path);
    t.throws(() => loadBundle(folder, { trustedKeys }), { code: 'E_BUNDLE_FILE_KIND' });
  });

  t.test('keys are exchanged: the old one is revoked, the new one trusted, the bundle signed again', async t => {
    const next = testKey();
    const folder = signedBundle(t.testdir({}), key);
    const before = loadBundle(folder, { trustedKeys });
    const rotated = { trustedKeys: [next.line], revokedKeys: [key.id] };
    t.throws(() => loadBundle(folder, rotated), { code: 'E_SIGNATURE_REVOKED' });
    signFolder(folder, next, sequenceComment(8));
    const after = loadBundle(folder, rotated);
    t.same(after.signature, { keyId: next.id, sequence: 8 });
    t.equal(after.digest, before.digest, 'it is the same policy');
    t.throws(() => loadBundle(folder, { trustedKeys }), { code: 'E_SIGNATURE_KEY' });
  });
});

t.test('a file that the manifest does not list is refused by name, be it a folder or hidden', async t => {
  for (const name of ['notes.txt', '.hidden', 'policy.json.bak']) {
    const folder = smallBundle(join(t.testdir({}), 'x'));
    writeFileSync(join(folder, name), '');
    t.throws(() => loadBundle(folder), {
      code: 'E_BUNDLE_EXTRA',
      message: new RegExp(`holds "${name}"`),
      hint: /remove/,
    });
    rmSync(join(folder, name));
    mkdirSync(join(folder, name));
    t.throws(() => loadBundle(folder), { code: 'E_BUNDLE_EXTRA' });
  }
});

t.test('many files that are each small enough are refused where together they are too large', async t => {
  const folder = smallBundle(t.testdir({}));
  const name = (i: number) => `part${i}.bin`;
  const zeros = Buffer.alloc(bundleLimits.fileBytes);
  const digest = sha256(zeros);
  for (let i = 0; i < 3; i++) {
    writeFileSync(join(folder, name(i)), '');
    truncateSync(join(folder, name(i)), zeros.length);
  }
  forge(folder, manifest =>
    Object.assign(manifest.files as object, { [name(0)]: digest, [name(1)]: digest, [name(2)]: digest }),
  );
  t.throws(() => loadBundle(folder), { code: 'E_BUNDLE_SIZE', message: /part1\.bin has 67108864 bytes/ });
});

t.test('golden vectors whose keys stand twice are refused although every digest fits', async t => {
  const { observations, actions } = smallContent().golden;
  const text = `{"actions":[[0]],"observations":${JSON.stringify(observations)},"actions":${JSON.stringify(actions)}}`;
  const folder = forge(smallBundle(t.testdir({})), () => undefined, { 'golden.json': text });
  t.throws(() => loadBundle(folder), { code: 'E_JSON_KEY', message: /"actions" twice/ });
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
