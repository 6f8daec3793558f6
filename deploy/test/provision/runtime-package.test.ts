import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { elfHeader } from '../../src/provision/elf.js';
import { npmFile } from '../../src/provision/npm-cache.js';
import { knownPlatform, type Platform, type PlatformName, platforms } from '../../src/provision/platforms.js';
import { budgets } from '../../src/provision/provision.js';
import { packageRuntime, type RuntimePackage, unpackedBytes } from '../../src/provision/runtime-package.js';
import { writeTar } from '../../src/provision/tar.js';
import { verifyRuntime } from '../../src/robot/runtime-manifest.js';

const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? '';
const own = knownPlatform({ system: process.platform, machine, musl: false, bits: 64 });
const paths = ({ files }: RuntimePackage) => files.map(({ path }) => path);
const packedBytes = ({ files }: RuntimePackage) => gzipSync(Buffer.concat([...writeTar(files)])).length;

/** Whether what comes from npm is at hand, or can be had. */
async function canBeHad(name: PlatformName): Promise<boolean> {
  const { node, koffi }: Platform = platforms[name];
  try {
    if (node !== undefined) await npmFile(node, 'bin/node');
    if (koffi !== undefined) await npmFile(koffi, koffi.file);
    return true;
  } catch (error) {
    if (error instanceof KitError && error.code === 'E_NPM_FETCH') return false;
    throw error;
  }
}

t.test('what a package holds is one platform’s, and no more than it may take', async t => {
  for (const name of ['linux-x64', 'linux-arm64', 'linux-armv7', 'linux-arm64-musl'] as const) {
    if (!(await canBeHad(name))) {
      t.comment(`${name}: not looked at, as npm's registry can't be reached`);
      continue;
    }
    const made = await packageRuntime({ platform: name });
    const platform: Platform = platforms[name];
    t.equal(paths(made).includes('bin/node'), platform.node !== undefined, `${name}: Node`);
    for (const { path, content } of made.files.filter(file => file.content.readUInt32BE(0) === 0x7f454c46))
      t.equal(elfHeader(content).machine, platform.elfMachine, `${name}: ${path}`);
    const native = paths(made).filter(path => path.startsWith('node_modules/onnxruntime-node/bin/'));
    const wasm = paths(made).filter(path => path.endsWith('.wasm'));
    t.same([native.length, wasm.length], platform.onnxRuntime === undefined ? [0, 1] : [2, 0], `${name}: inference`);
    t.equal(made.manifest.inference, platform.onnxRuntime === undefined ? 'wasm' : 'native');
    const unpacked = unpackedBytes(made);
    t.comment(`${name}: ${(unpacked / 1e6).toFixed(1)} MB unpacked`);
    t.ok(unpacked <= budgets.unpackedBytes, `${name}: ${unpacked} bytes on the robot`);
    // The largest stands for all: packing takes long.
    if (name !== 'linux-x64') continue;
    const packed = packedBytes(made);
    t.comment(`${name}: ${(packed / 1e6).toFixed(1)} MB packed`);
    t.ok(packed <= budgets.sentBytes, `${packed} bytes are sent`);
  }
});

if (own !== undefined) {
  const options = { platform: own, nodePath: process.execPath };

  t.test('the same sources make the same release, and the release is what it says', async t => {
    const [made, again] = [await packageRuntime(options), await packageRuntime(options)];
    t.equal(made.digest, again.digest);
    const folder = mkdtempSync(join(tmpdir(), 'package-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    for (const { path, content } of made.files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    t.match(verifyRuntime(folder, { trustedKeys: [], revokedKeys: [] }), {
      digest: made.digest,
      bytes: unpackedBytes(made),
    });
    t.same(
      paths(made).filter(path => /\.(ts|map|d\.ts)$|test/.test(path)),
      [],
      'nothing that only developers read',
    );
  });

  t.test('WebAssembly where it was asked for: another release', async t => {
    const wasm = await packageRuntime({ ...options, wasm: true });
    t.equal(wasm.manifest.inference, 'wasm');
    t.notOk(paths(wasm).some(path => path.startsWith('node_modules/onnxruntime-node')));
    t.not(wasm.digest, (await packageRuntime(options)).digest);
  });

  t.test('the signature lies beside the manifest, and changes nothing of its name', async t => {
    let signed: Buffer | undefined;
    const made = await packageRuntime({
      ...options,
      sign: manifest => {
        signed = manifest;
        return 'a signature\n';
      },
    });
    const content = (path: string) => made.files.find(file => file.path === path)?.content;
    t.same(signed, content('runtime.json'));
    t.equal(content('runtime.json.minisig')?.toString(), 'a signature\n');
    t.equal(made.digest, (await packageRuntime(options)).digest);
    t.notOk(Object.hasOwn(made.manifest.files, 'runtime.json.minisig'));
  });

  t.test('a Node of another platform, or none at all, is refused', async t => {
    const foreign = own === 'linux-x64' ? 'linux-arm64' : 'linux-x64';
    await t.rejects(packageRuntime({ ...options, platform: foreign }), { code: 'E_NODE_FILE', message: /that is not/ });
    await t.rejects(packageRuntime({ ...options, platform: `${own}-musl` as PlatformName }), { code: 'E_NODE_FILE' });
    await t.rejects(packageRuntime({ ...options, nodePath: '/no/such/node' }), { code: 'E_NODE_FILE', exit: 'usage' });
    await t.rejects(packageRuntime({ ...options, nodePath: import.meta.filename ?? 'package.json' }), {
      code: 'E_NODE_FILE',
    });
  });
} else t.comment(`this machine (${process.platform} ${process.arch}) is no robot: its own runtime is not looked at`);
