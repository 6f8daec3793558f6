/**
 * The package for a 64-bit Pi, run on another machine by an emulator of its processor: its Node, its bindings, its bundle, and the policy's
 * golden vectors. With the WebAssembly build of ONNX Runtime, since the native one crashes in the emulator.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { packageRuntime, type RuntimePackage } from '../../src/provision/runtime-package.js';
import { deployShipped, installedRoot, robotProgram } from '../support/installed.js';

/** Of Debian's libc6-arm64-cross and libstdc++6-arm64-cross. */
const libraries = '/usr/aarch64-linux-gnu';
const hasEmulator =
  spawnSync('qemu-aarch64', ['--version']).status === 0 &&
  ['ld-linux-aarch64.so.1', 'libstdc++.so.6', 'libatomic.so.1'].every(name => existsSync(join(libraries, 'lib', name)));

async function arm64Package(): Promise<RuntimePackage | undefined> {
  try {
    return await packageRuntime({ platform: 'linux-arm64', wasm: true });
  } catch (error) {
    if (error instanceof KitError && error.code === 'E_NPM_FETCH') return undefined;
    throw error;
  }
}

const runtime = hasEmulator ? await arm64Package() : undefined;
if (runtime === undefined)
  t.comment(
    `arm64: not run, as ${hasEmulator ? "npm's registry can't be reached" : 'qemu-user and the arm64 libraries are not installed'}`,
  );
else
  t.test('on an emulated arm64 the package is whole, and the golden vectors pass', async t => {
    const { root, remove } = installedRoot();
    t.teardown(remove);
    const { digest } = await deployShipped(root);
    const release = join(root, 'release');
    for (const { path, content, executable } of runtime.files) {
      mkdirSync(dirname(join(release, path)), { recursive: true });
      writeFileSync(join(release, path), content);
      if (executable) chmodSync(join(release, path), 0o755);
    }
    const program = [
      'qemu-aarch64',
      '-L',
      libraries,
      join(release, 'bin/node'),
      join(release, 'lib/sim2servo-robot.js'),
    ];
    // An emulator is no measure of time.
    const { status, stderr, answer } = robotProgram(['check', '--root', root, '--share', '1e6'], program);
    t.equal(status, 0, stderr);
    const { node, policy, ...said } = answer();
    t.match(said.runtime, { digest: runtime.digest, platform: 'linux-arm64', inference: 'wasm' });
    t.match(runtime.manifest.node, node, 'it is the Node that was packed');
    t.match(policy, { digest, backend: 'wasm' });
    t.ok(policy.goldenMaxError <= 1e-5, `golden vectors within ${policy.goldenMaxError}`);
  });
