import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { sha256 } from '@sim2servo/models/digest';
import { shippedPolicies } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { assembleDraft } from '../../src/agent/draft.js';
import { Incoming } from '../../src/agent/incoming.js';

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
  const draft = assembleDraft(incoming, { manifest }, untrusting);
  t.equal(loadBundle(draft.folder).digest, manifest);
  t.same(readdirSync(draft.folder).sort(), readdirSync(bundle).sort());
  t.same([...draft.digests].sort(), partsOf().map(sha256).sort());
  draft.remove();
  t.notOk(readdirSync(incoming.folder).includes('draft'));
});

t.test('a file that the manifest names and that never came is named', async t => {
  const incoming = holding([manifestBytes]);
  t.throws(() => assembleDraft(incoming, { manifest }, untrusting), {
    code: 'E_DEPLOY_LACKING',
    message: /policy\.onnx|golden\.json|learner\.ckpt/,
  });
  t.throws(() => assembleDraft(holding([]), { manifest }, untrusting), { code: 'E_DEPLOY_LACKING' });
});

t.test('where signatures are wanted nothing is parsed before one was verified', async t => {
  const garbage = Buffer.from('not even JSON');
  const incoming = holding([garbage]);
  t.throws(() => assembleDraft(incoming, { manifest: sha256(garbage) }, trusting), { code: 'E_BUNDLE_UNSIGNED' });
  t.throws(() => assembleDraft(incoming, { manifest: sha256(garbage) }, untrusting), { code: 'E_FILE_JSON' });
  const signature = Buffer.from('nor a signature');
  const signed = { manifest: sha256(garbage), signature: sha256(signature) };
  t.throws(() => assembleDraft(holding([garbage, signature]), signed, trusting), { code: 'E_SIGNATURE_FORMAT' });
  t.throws(() => assembleDraft(incoming, signed, trusting), { code: 'E_DEPLOY_LACKING', message: /signature/ });
});

t.test('a manifest that names a path is refused by its schema', async t => {
  const evil = Buffer.from(
    JSON.stringify({ ...JSON.parse(manifestBytes.toString()), files: { '../../x': sha256(manifestBytes) } }),
  );
  t.throws(() => assembleDraft(holding([evil]), { manifest: sha256(evil) }, untrusting), { code: 'E_FILE_SCHEMA' });
});
