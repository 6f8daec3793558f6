import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleFiles } from '@sim2servo/models/bundle/bundle-folder';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { sha256 } from '@sim2servo/models/digest';
import { shippedPolicies } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { Incoming } from '../../src/agent/incoming.js';
import { receivedFiles } from '../../src/agent/received-files.js';

const bundle = join(shippedPolicies, 'so101-reach-50hz');
const folder = t.testdir();
let stores = 0;
const untrusting = {};
/** A key that nobody has the other half of. */
const trusting = { trustedKeys: [Buffer.concat([Buffer.from('Ed'), Buffer.alloc(40, 7)]).toString('base64')] };

/** A store that these files have come to. */
function holding(contents: readonly Uint8Array[]): Incoming {
  const incoming = new Incoming(join(folder, `store-${stores++}`));
  mkdirSync(incoming.folder, { recursive: true });
  for (const content of contents) writeFileSync(join(incoming.folder, sha256(content)), content);
  return incoming;
}
const partsOf = () => readdirSync(bundle).map(name => readFileSync(join(bundle, name)));
const manifestBytes = readFileSync(join(bundle, 'policy.json'));
const manifest = sha256(manifestBytes);

t.test('files that came one by one are a bundle again', async t => {
  const incoming = holding(partsOf());
  const files = receivedFiles(incoming, { manifest }, untrusting);
  const paths = new Map([...files].map(([name, { path }]) => [name, path]));
  t.equal(loadBundle('the bundle', untrusting, bundleFiles(paths)).digest, manifest);
  t.same([...files.keys()].sort(), readdirSync(bundle).sort());
  t.same([...files.values()].map(file => file.sha256).sort(), partsOf().map(sha256).sort());
});

t.test('a file that the manifest names and that never came is named', async t => {
  const incoming = holding([manifestBytes]);
  t.throws(() => receivedFiles(incoming, { manifest }, untrusting), {
    code: 'E_DEPLOY_LACKING',
    message: /policy\.onnx|golden\.json|learner\.ckpt/,
  });
  t.throws(() => receivedFiles(holding([]), { manifest }, untrusting), { code: 'E_DEPLOY_LACKING' });
});

t.test('where signatures are wanted nothing is parsed before one was verified', async t => {
  const garbage = Buffer.from('not even JSON');
  const incoming = holding([garbage]);
  t.throws(() => receivedFiles(incoming, { manifest: sha256(garbage) }, trusting), { code: 'E_BUNDLE_UNSIGNED' });
  t.throws(() => receivedFiles(incoming, { manifest: sha256(garbage) }, untrusting), { code: 'E_FILE_JSON' });
  const signature = Buffer.from('nor a signature');
  const signed = { manifest: sha256(garbage), signature: sha256(signature) };
  t.throws(() => receivedFiles(holding([garbage, signature]), signed, trusting), { code: 'E_SIGNATURE_FORMAT' });
  t.throws(() => receivedFiles(incoming, signed, trusting), {
    code: 'E_DEPLOY_LACKING',
    message: /policy\.json\.minisig/,
  });
});

t.test('a manifest that names a path is refused by its schema', async t => {
  const evil = Buffer.from(
    JSON.stringify({ ...JSON.parse(manifestBytes.toString()), files: { '../../x': sha256(manifestBytes) } }),
  );
  t.throws(() => receivedFiles(holding([evil]), { manifest: sha256(evil) }, untrusting), { code: 'E_FILE_SCHEMA' });
});
