/** A runtime that is damaged, or signed anew, is mended by provisioning again: whichever release comes. */
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { carryOut, planProvision } from '../../src/provision/provision.js';
import { packageRuntime, type RuntimePackage } from '../../src/provision/runtime-package.js';
import { robotProgram } from '../support/installed.js';
import { runtimeKey } from '../support/runtime-key.js';

const robot = loadRobot('so101');
const made = new Map<boolean, Promise<RuntimePackage>>();

/** A robot in a folder, without Node: inference in WebAssembly, or (another release) native. */
async function provisioned(
  root: string,
  { sign, wasm = true }: { sign?: (text: Buffer) => string; wasm?: boolean } = {},
) {
  const plan = await planProvision({
    robot,
    place: { root },
    port: '/dev/ttyUSB0',
    ownNode: true,
    wasm,
    ...(sign && { sign }),
    packaged: options => {
      if (sign !== undefined) return packageRuntime(options);
      const runtime = made.get(wasm) ?? packageRuntime(options);
      made.set(wasm, runtime);
      return runtime;
    },
  });
  let words = '';
  const sent = await carryOut(
    plan,
    step => {
      if (step.name === 'runtime') words = step.words;
    },
    () => {},
  );
  return { plan, sent, words, digest: plan.runtime!.digest };
}

function freshRobot() {
  const root = mkdtempSync(join(tmpdir(), 'root-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const at = (path: string) => join(root, 'opt/sim2servo', path);
  return { root, at, check: () => robotProgram(['check'], [join(root, 'usr/local/bin/sim2servo-robot')]) };
}

if (process.platform === 'linux') {
  t.test('provisioned again, what is damaged is named, sent and mended; nothing else is', async t => {
    const { root, at, check } = freshRobot();
    const { digest } = await provisioned(root);
    appendFileSync(at('current/lib/recorder-worker.js'), '\n// a bit more\n');
    rmSync(at('current/lib/koffi.node'));
    writeFileSync(at('current/lib/foreign.js'), '');
    chmodSync(at('current/lib/package.json'), 0o755);
    t.match(check().stderr, /E_RUNTIME_FILE/);
    const { words, sent } = await provisioned(root);
    t.match(
      words,
      /but not as it should be\. lib\/koffi\.node, lib\/package\.json, lib\/recorder-worker\.js: sent aside/,
    );
    t.match(words, /lib\/foreign\.js does not belong to it, and is removed/);
    t.ok(sent < 1e6, `${sent} bytes`);
    t.equal(check().status, 0, check().stderr);
    t.same(readdirSync(at('releases')), [digest]);
    t.notOk(readdirSync(at('.')).includes('previous'), 'it is no release after itself');
    t.match((await provisioned(root)).words, /is there already$/);
  });

  t.test('a manifest that is damaged, and a program that does not run any more', async t => {
    const { root, at, check } = freshRobot();
    await provisioned(root);
    writeFileSync(at('current/runtime.json'), '{');
    writeFileSync(at('current/lib/sim2servo-robot.js'), '}');
    t.match((await provisioned(root)).words, /lib\/sim2servo-robot\.js, runtime\.json: sent aside/);
    t.equal(check().status, 0, check().stderr);
  });

  t.test('what is damaged does not go over into the next release, nor keep it away', async t => {
    const { root, at, check } = freshRobot();
    const before = await provisioned(root);
    appendFileSync(at('current/lib/koffi.node'), 'spoilt');
    writeFileSync(at('current/lib/sim2servo-robot.js'), '}');
    const after = await provisioned(root, { wasm: false });
    t.not(after.digest, before.digest);
    t.match(after.words, /is damaged \(lib\/koffi\.node, lib\/sim2servo-robot\.js\), so it is not asked/);
    t.match(after.words, /\d+ files of it are there already/);
    t.equal(check().status, 0, check().stderr);
    t.equal(readlinkSync(at('current')), `releases/${after.digest}`);
    t.equal(readlinkSync(at('previous')), `releases/${before.digest}`);
  });

  t.test('what is spoilt between the look and the work is named', async t => {
    const { root, at } = freshRobot();
    await provisioned(root);
    const plan = await planProvision({ ...planOptions(root), wasm: false });
    appendFileSync(at('current/lib/koffi.node'), 'spoilt');
    await t.rejects(
      carryOut(
        plan,
        () => {},
        () => {},
      ),
      {
        code: 'E_TARGET_SCRIPT',
        message: /lib\/koffi\.node: FAILED/,
      },
    );
    await carryOut(
      await planProvision({ ...planOptions(root), wasm: false }),
      () => {},
      () => {},
    );
  });

  t.test('a plan by what was there before somebody else installed is not carried out', async t => {
    const { root, at } = freshRobot();
    const plan = await planProvision({ ...planOptions(root), wasm: true });
    const { digest } = await provisioned(root, { wasm: false });
    await t.rejects(
      carryOut(
        plan,
        () => {},
        () => {},
      ),
      { code: 'E_TARGET_CHANGED', hint: /run it again/ },
    );
    t.equal(readlinkSync(at('current')), `releases/${digest}`);
  });

  t.test('the same runtime, signed since, is given its signature', async t => {
    const { root, at } = freshRobot();
    await provisioned(root);
    const key = runtimeKey();
    const { words, digest } = await provisioned(root, { sign: key.sign });
    t.match(words, /runtime\.json\.minisig: sent aside/);
    t.equal(readlinkSync(at('current')), `releases/${digest}`);
    t.equal(
      readFileSync(at('current/runtime.json.minisig'), 'utf8'),
      key.sign(readFileSync(at('current/runtime.json'))),
    );
    t.match((await provisioned(root)).words, /is there already$/, 'unsigned again: the signature stays');
  });
} else t.comment('not tested, as this machine is no robot’s');

function planOptions(root: string) {
  return { robot, place: { root }, port: '/dev/ttyUSB0', ownNode: true, packaged: packageRuntime };
}
