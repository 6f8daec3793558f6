/**
 * `kit engine install NAME --library PATH`: a native library that is on this machine already, linked to where its engine looks for it.
 * Both come in Python wheels, which a machine with an NVIDIA card often has: TensorFlow's, and ONNX Runtime's CUDA provider.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import { cudaLibraries, onnxRuntimeFolder } from '@sim2servo/train/engine/provider';

function refuse(message: string, hint: string): never {
  throw new KitError('E_ENGINE_LIBRARY', message, hint, 'usage');
}

/** The folder, or the folder of the file, that `--library` names. */
function folderAt(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) refuse(`${path} is not there`, 'give the folder that holds the library');
  return resolve(found.isDirectory() ? path : dirname(path));
}

function linuxOnly(what: string): void {
  if (process.platform !== 'linux')
    refuse(`${what} is linked on Linux only; this is ${process.platform}`, 'leave --library out: its installer is run');
}

function link(from: string, to: string): void {
  rmSync(to, { force: true });
  symlinkSync(from, to);
}

/**
 * Links TensorFlow's libraries and headers into `deps` of the package @tensorflow/tfjs-node-gpu, for its binding to be built against:
 * those of the wheel (`site-packages/tensorflow`), or of the C library's archive (`lib`, beside `include`).
 *
 * The binding asks for `-ltensorflow`; the wheel calls it libtensorflow_cc.
 *
 * @throws KitError E_ENGINE_LIBRARY naming what is missing
 */
export function linkTensorflow(packageFolder: string, library: string): void {
  linuxOnly('TensorFlow');
  const folder = folderAt(library);
  const main = ['libtensorflow_cc.so.2', 'libtensorflow.so.2'].find(name => existsSync(join(folder, name)));
  const framework = 'libtensorflow_framework.so.2';
  if (main === undefined || !existsSync(join(folder, framework)))
    refuse(
      `${folder} does not hold TensorFlow 2: ${main === undefined ? 'libtensorflow_cc.so.2' : framework} is missing`,
      'give the folder `tensorflow` in site-packages of a Python that has TensorFlow 2.15, or `lib` of its C library',
    );
  const headers = [join(folder, 'include'), join(folder, '..', 'include')].find(include =>
    existsSync(join(include, 'tensorflow', 'c', 'c_api.h')),
  );
  if (headers === undefined)
    refuse(`${folder} has no headers (include/tensorflow/c/c_api.h)`, 'give a folder of the whole wheel or archive');
  const deps = join(packageFolder, 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, 'lib'), { recursive: true });
  link(headers, join(deps, 'include'));
  for (const [name, short] of [
    [main, 'libtensorflow.so'],
    [framework, 'libtensorflow_framework.so'],
  ] as const) {
    link(join(folder, name), join(deps, 'lib', name));
    link(name, join(deps, 'lib', short));
  }
}

/** How the binding is built from its source; Node's own headers where they lie beside it, for they would be downloaded otherwise. */
export function bindingBuild(packageFolder: string): { script: string[]; environment: Record<string, string> } {
  const preGyp = createRequire(join(packageFolder, 'package.json')).resolve('@mapbox/node-pre-gyp/bin/node-pre-gyp');
  const nodeFolder = dirname(dirname(process.execPath));
  const headers = existsSync(join(nodeFolder, 'include', 'node', 'node.h'));
  return {
    script: [preGyp, 'install', '--build-from-source'],
    environment: headers ? { npm_config_nodedir: nodeFolder } : {},
  };
}

/**
 * Links ONNX Runtime's CUDA provider beside the library of onnxruntime-node. Both must be of one version: they share C++ interfaces.
 *
 * @param version  of onnxruntime-node
 * @throws KitError E_ENGINE_LIBRARY naming what is missing, or which version it is
 */
export function linkCudaProvider(version: string, library: string, into: string = onnxRuntimeFolder()): void {
  linuxOnly("ONNX Runtime's CUDA provider");
  const folder = folderAt(library);
  const wheel = `pip install onnxruntime-gpu==${version}; then give its folder onnxruntime/capi`;
  const missing = cudaLibraries.find(name => !existsSync(join(folder, name)));
  if (missing !== undefined) refuse(`${folder} does not hold the CUDA provider: ${missing} is missing`, wheel);
  const found = providerVersion(folder);
  if (found !== version)
    refuse(
      `the CUDA provider in ${folder} is of ${found ?? 'an unknown version'}; this is ONNX Runtime ${version}`,
      wheel,
    );
  for (const name of cudaLibraries) link(join(folder, name), join(into, name));
}

/** From the name of ONNX Runtime's own library, which lies beside the provider in the wheel and in the archive. */
function providerVersion(folder: string): string | undefined {
  const versions = readdirSync(folder).map(name => /^libonnxruntime\.so\.(\d+\.\d+\.\d+)$/.exec(name)?.[1]);
  return versions.find(version => version !== undefined);
}
