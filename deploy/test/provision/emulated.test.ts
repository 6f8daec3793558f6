/**
 * The packages for a Pi, 64 and 32 bits, run on another machine by an emulator of its processor: their Node, their bindings, their bundle, and
 * the policy's golden vectors. With the WebAssembly build of ONNX Runtime: there is no other for 32 bits, and the native one of 64 crashes in
 * the emulator.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { packageRuntime, type RuntimePackage } from '../../src/provision/runtime-package.js';
import { deployShipped, installedRoot, robotProgram } from '../support/installed.js';

/** Libraries are those of Debian's libc6-…-cross, libstdc++6-…-cross and libatomic1-…-cross. */
const boards = [
  {
    platform: 'linux-arm64',
    emulator: 'qemu-aarch64',
    libraries: '/usr/aarch64-linux-gnu',
    loader: 'ld-linux-aarch64.so.1',
  },
  {
    platform: 'linux-armv7',
    emulator: 'qemu-arm',
    libraries: '/usr/arm-linux-gnueabihf',
    loader: 'ld-linux-armhf.so.3',
  },
] as const;

/** Undefined where npm's registry can't be reached. */
async function packaged(platform: (typeof boards)[number]['platform']): Promise<RuntimePackage | undefined> {
  try {
    return await packageRuntime({ platform, wasm: true });
  } catch (error) {
    if (error instanceof KitError && error.code === 'E_NPM_FETCH') return undefined;
    throw error;
  }
}

for (const { platform, emulator, libraries, loader } of boards) {
  const hasEmulator =
    spawnSync(emulator, ['--version']).status === 0 &&
    [loader, 'libstdc++.so.6', 'libatomic.so.1'].every(name => existsSync(join(libraries, 'lib', name)));
  const runtime = hasEmulator ? await packaged(platform) : undefined;
  if (runtime === undefined) {
    const why = hasEmulator ? "npm's registry can't be reached" : `qemu-user and libraries for it are not installed`;
    t.comment(`${platform}: not run, as ${why}`);
    continue;
  }
  t.test(`on an emulated ${platform} the package is whole, and the golden vectors pass`, async t => {
    const { root, remove } = installedRoot();
    t.teardown(remove);
    const { digest } = await deployShipped(root);
    const release = join(root, 'release');
    for (const { path, content, executable } of runtime.files) {
      mkdirSync(dirname(join(release, path)), { recursive: true });
      writeFileSync(join(release, path), content);
      if (executable) chmodSync(join(release, path), 0o755);
    }
    const program = [emulator, '-L', libraries, join(release, 'bin/node'), join(release, 'lib/sim2servo-robot.js')];
    // An emulator is no measure of time.
    const { status, stderr, answer } = robotProgram(['check', '--root', root, '--share', '1e6'], program);
    t.equal(status, 0, stderr);
    const { node, policy, ...said } = answer();
    t.match(said.runtime, { digest: runtime.digest, platform, inference: 'wasm' });
    t.match(runtime.manifest.node, node, 'it is the Node that was packed');
    t.match(policy, { digest, backend: 'wasm' });
    t.ok(policy.goldenMaxError <= 1e-5, `golden vectors within ${policy.goldenMaxError}`);
  });
}
