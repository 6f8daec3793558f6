/**
 * A release of the runtime for one platform: the bundled program, the native parts of that platform only, and Node itself. Nothing in it
 * comes from the robot, and nothing on the robot needs a network to run it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256, shortDigest } from '@sim2servo/models/digest';
import { KitError, messageOf } from '@sim2servo/models/error';
import { manifestName, type RuntimeManifest, runtimeManifestSchema, signatureName } from '../robot/runtime-manifest.js';
import { bundleProgram, programName } from './bundle-program.js';
import { elfHeader, stripElf } from './elf.js';
import { type NpmCacheOptions, npmFile } from './npm-cache.js';
import { type Platform, type PlatformName, platforms } from './platforms.js';
import type { TarFile } from './tar.js';

export interface PackageOptions extends NpmCacheOptions {
  readonly platform: PlatformName;
  /** An executable to take as Node instead of the one from npm. */
  readonly nodePath?: string;
  /** The robot's own Node although there is one to send. */
  readonly ownNode?: boolean;
  /** ONNX Runtime's WebAssembly build even where there is a native one. */
  readonly wasm?: boolean;
  /** @returns the minisign signature of the manifest's bytes */
  readonly sign?: (manifest: Buffer) => string;
}

export interface RuntimePackage {
  readonly platform: PlatformName;
  readonly manifest: RuntimeManifest;
  /** Of the manifest: the release's name. */
  readonly digest: string;
  /** Whether the robot brings Node. */
  readonly ownNode: boolean;
  /** All that a release holds, its manifest and signature included. */
  readonly files: readonly TarFile[];
}

/** Of this package, which is that of the house. */
const ownVersion = (
  JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

export const programPath = `lib/${programName}`;
export const nodePath = 'bin/node';

/** @throws KitError E_NODE_FILE, E_NPM_*, E_PACKAGE */
export async function packageRuntime(options: PackageOptions): Promise<RuntimePackage> {
  const { platform: name, sign } = options;
  const platform: Platform = platforms[name];
  const wasm = options.wasm === true || platform.onnxRuntime === undefined;
  const node = await nodeProgram(name, options);
  const files: TarFile[] = [
    ...(node === undefined ? [] : [{ path: nodePath, content: node.content, executable: true }]),
    ...(await bundleProgram()).map(file => plain(`lib/${file.name}`, file.content)),
    plain('lib/package.json', Buffer.from('{"type":"module"}\n')),
    plain(
      'lib/serialport.node',
      readFileSync(join(folderOf('@serialport/bindings-cpp', importers.serialport), 'prebuilds', platform.serialport)),
    ),
    ...(platform.koffi === undefined ? [] : [plain('lib/koffi.node', await koffiBinding(platform.koffi, options))]),
    ...(wasm ? wasmInference() : nativeInference(platform.onnxRuntime!)),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const manifest: RuntimeManifest = runtimeManifestSchema.parse({
    format: 'sim2servo/runtime@1',
    version: ownVersion,
    platform: name,
    node: node?.what ?? 'the robot’s own',
    inference: wasm ? 'wasm' : 'native',
    files: Object.fromEntries(
      files.map(({ path, content, executable }) => [
        path,
        { sha256: sha256(content), bytes: content.length, executable },
      ]),
    ),
  });
  const manifestBytes = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
  return {
    platform: name,
    manifest,
    digest: sha256(manifestBytes),
    ownNode: node === undefined,
    files: [
      ...files,
      plain(manifestName, manifestBytes),
      ...(sign === undefined ? [] : [plain(signatureName, Buffer.from(sign(manifestBytes)))]),
    ],
  };
}

/** This machine's own is installed with the kit; only a foreign platform's has to be fetched. */
async function koffiBinding(wanted: NonNullable<Platform['koffi']>, options: PackageOptions): Promise<Buffer> {
  const folder = packageFolder(wanted.name, fileURLToPath(import.meta.url));
  if (folder !== undefined) {
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    if (version === wanted.version) return readFileSync(join(folder, wanted.file));
  }
  return npmFile(wanted, wanted.file, options);
}

const plain = (path: string, content: Buffer): TarFile => ({ path, content, executable: false });

/** Stripped; undefined where the robot has to bring its own. */
async function nodeProgram(
  name: PlatformName,
  options: PackageOptions,
): Promise<{ content: Buffer; what: string } | undefined> {
  const platform: Platform = platforms[name];
  if (options.nodePath !== undefined) {
    const content = stripElf(readNode(options.nodePath));
    checkNode(content, name, options.nodePath);
    return { content, what: `given: ${basename(options.nodePath)}, ${shortDigest(sha256(content))}` };
  }
  if (platform.node === undefined || options.ownNode === true) return undefined;
  const content = stripElf(await npmFile(platform.node, 'bin/node', options));
  return { content, what: `${platform.node.version}, from npm's ${platform.node.name}` };
}

function readNode(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new KitError('E_NODE_FILE', `can't read ${path}: ${messageOf(error)}`, 'name a Node executable', 'usage', {
      cause: error,
    });
  }
}

function checkNode(content: Buffer, name: PlatformName, path: string): void {
  const { machine, interpreter = 'none' } = elfHeader(content);
  const musl = /ld-musl/.test(interpreter);
  if (machine === platforms[name].elfMachine && musl === name.endsWith('-musl')) return;
  throw new KitError(
    'E_NODE_FILE',
    `${path} is for ELF machine ${machine} with loader ${interpreter}: that is not ${name}`,
    'name a Node executable of the robot’s platform, or leave --node out',
    'usage',
  );
}

const require = createRequire(import.meta.url);

/** Modules of ours that import what has native parts. */
const importers = {
  serialport: require.resolve('@sim2servo/firmware-bridge/serial-stream'),
  inference: require.resolve('@sim2servo/runtime/inference-backend'),
} as const;

/** A package's folder, as who imports it sees it; undefined where it is not installed. */
function packageFolder(name: string, owner: string): string | undefined {
  const folders = createRequire(owner).resolve.paths(name) ?? [];
  return folders.map(folder => join(folder, name)).find(folder => existsSync(join(folder, 'package.json')));
}

function folderOf(name: string, owner: string): string {
  const folder = packageFolder(name, owner);
  if (folder !== undefined) return folder;
  throw new KitError('E_PACKAGE', `the package ${name} is not installed`, 'run npm ci in the kit', 'bug');
}

/** Files of an installed package, at the place where `import` finds them. */
function taken(name: string, paths: readonly string[]): TarFile[] {
  const folder = folderOf(name, importers.inference);
  return ['package.json', ...paths].map(path =>
    plain(`node_modules/${name}/${path}`, readFileSync(join(folder, path))),
  );
}

/** Types and interfaces of both builds, as CommonJS or as modules. */
function commonApi(flavour: 'cjs' | 'esm'): TarFile[] {
  const api = `dist/${flavour}`;
  const names = readdirSync(join(folderOf('onnxruntime-common', importers.inference), api)).filter(
    name => name.endsWith('.js') || name === 'package.json',
  );
  return taken(
    'onnxruntime-common',
    names.map(name => `${api}/${name}`),
  );
}

function nativeInference(cpu: string): TarFile[] {
  const binary = `bin/napi-v6/linux/${cpu}`;
  const api = ['index', 'backend', 'binding', 'version'].map(name => `dist/${name}.js`);
  const native = taken('onnxruntime-node', [
    ...api,
    `${binary}/onnxruntime_binding.node`,
    `${binary}/libonnxruntime.so.1`,
  ]);
  return [...native, ...commonApi('cjs')];
}

function wasmInference(): TarFile[] {
  const build = ['ort.node.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];
  return [
    ...taken(
      'onnxruntime-web',
      build.map(name => `dist/${name}`),
    ),
    ...commonApi('esm'),
  ];
}

/** Where the files of a release take room on the robot. */
export function unpackedBytes({ files }: RuntimePackage): number {
  return files.reduce((sum, { content }) => sum + content.length, 0);
}
