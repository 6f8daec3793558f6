import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import t from 'tap';
import { knownPlatform, type Platform, platformNames, platformOf, platforms } from '../../src/provision/platforms.js';

const linux = (machine: string, bits: 32 | 64, musl = false) => ({ system: 'Linux', machine, musl, bits });

t.test('what a machine says of itself names the platform', async t => {
  t.equal(platformOf(linux('x86_64', 64)), 'linux-x64');
  t.equal(platformOf(linux('aarch64', 64)), 'linux-arm64');
  t.equal(platformOf(linux('armv7l', 32)), 'linux-armv7');
  t.equal(platformOf(linux('armv8l', 32, true)), 'linux-armv7-musl', 'a 32-bit system on a 64-bit board');
  t.equal(platformOf(linux('aarch64', 32)), 'linux-armv7', 'and on its 64-bit kernel: Raspberry Pi OS');
  t.equal(platformOf(linux('aarch64', 64, true)), 'linux-arm64-musl');
});

t.test('what we have nothing for is refused, with what we have', async t => {
  for (const there of [
    linux('armv6l', 32),
    linux('riscv64', 64),
    linux('x86_64', 32),
    { ...linux('arm64', 64), system: 'Darwin' },
    { ...linux('x86_64', 64), system: 'FreeBSD' },
  ]) {
    t.equal(knownPlatform(there), undefined);
    t.throws(() => platformOf(there), { code: 'E_PLATFORM', hint: /linux-arm64/ }, `${there.system} ${there.machine}`);
  }
});

t.test('every native part that is named is there, or pinned to one tarball', async t => {
  const require = createRequire(import.meta.url);
  const bridge = require.resolve('@sim2servo/firmware-bridge/serial-stream');
  const serialport = dirname(dirname(createRequire(bridge).resolve('@serialport/bindings-cpp')));
  const runtime = createRequire(require.resolve('@sim2servo/runtime/inference-backend'));
  const onnxRuntime = dirname(dirname(runtime.resolve('onnxruntime-node')));
  for (const name of platformNames) {
    const platform: Platform = platforms[name];
    t.ok(existsSync(join(serialport, 'prebuilds', platform.serialport)), `${name}: ${platform.serialport}`);
    if (platform.onnxRuntime !== undefined)
      t.ok(existsSync(join(onnxRuntime, 'bin/napi-v6/linux', platform.onnxRuntime, 'onnxruntime_binding.node')), name);
    for (const pinned of [platform.node, platform.koffi].filter(found => found !== undefined)) {
      t.match(pinned.version, /^\d+\.\d+\.\d+$/);
      t.match(pinned.integrity, /^sha512-[A-Za-z0-9+/]{86}==$/);
    }
    t.equal(platform.node === undefined, name.endsWith('-musl'), `${name}: Node is shipped except for musl`);
  }
});

t.test('koffi is the one that package-lock.json has: its bindings and its own code are of one version', async t => {
  const own = createRequire(import.meta.url).resolve('koffi');
  const { version } = JSON.parse(readFileSync(join(dirname(own), 'package.json'), 'utf8')) as { version: string };
  for (const name of platformNames) {
    const { koffi }: Platform = platforms[name];
    if (koffi !== undefined) t.equal(koffi.version, version, name);
  }
});
