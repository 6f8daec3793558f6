import { existsSync, mkdirSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bindingBuild, linkCudaProvider, linkTensorflow } from '../src/engine-library.js';

const linux = { skip: process.platform !== 'linux' && 'libraries are linked on Linux only' };
const header = { tensorflow: { c: { 'c_api.h': '' } } };

t.test("TensorFlow's wheel is linked as the binding's build wants it, in place of what was there", linux, async t => {
  const folder = t.testdir({
    tensorflow: { 'libtensorflow_cc.so.2': 'main', 'libtensorflow_framework.so.2': 'frame', include: header },
    package: { deps: { lib: { old: '' } } },
  });
  linkTensorflow(join(folder, 'package'), join(folder, 'tensorflow'));
  const lib = join(folder, 'package', 'deps', 'lib');
  t.same(readdirSync(lib).sort(), [
    'libtensorflow.so',
    'libtensorflow_cc.so.2',
    'libtensorflow_framework.so',
    'libtensorflow_framework.so.2',
  ]);
  t.equal(
    realpathSync(join(lib, 'libtensorflow.so')),
    realpathSync(join(folder, 'tensorflow', 'libtensorflow_cc.so.2')),
  );
  t.ok(existsSync(join(folder, 'package', 'deps', 'include', 'tensorflow', 'c', 'c_api.h')));
});

t.test("the C library's archive, whose headers lie beside lib, is taken too; so is a file's name", linux, async t => {
  const folder = t.testdir({
    lib: { 'libtensorflow.so.2': '', 'libtensorflow_framework.so.2': '' },
    include: header,
    package: {},
  });
  linkTensorflow(join(folder, 'package'), join(folder, 'lib', 'libtensorflow.so.2'));
  t.equal(readlinkSync(join(folder, 'package', 'deps', 'lib', 'libtensorflow.so')), 'libtensorflow.so.2');
});

t.test('what is missing is named, and nothing is taken away for it', linux, async t => {
  const folder = t.testdir({
    package: { deps: { kept: '' } },
    empty: {},
    half: { 'libtensorflow_cc.so.2': '' },
    headless: { 'libtensorflow_cc.so.2': '', 'libtensorflow_framework.so.2': '' },
  });
  const take = (name: string) => () => linkTensorflow(join(folder, 'package'), join(folder, name));
  const code = 'E_ENGINE_LIBRARY';
  t.throws(take('absent'), { code, message: /absent is not there/ });
  t.throws(take('empty'), { code, message: /libtensorflow_cc\.so\.2 is missing/ });
  t.throws(take('half'), { code, message: /libtensorflow_framework\.so\.2 is missing/ });
  t.throws(take('headless'), { code, message: /no headers/ });
  t.ok(existsSync(join(folder, 'package', 'deps', 'kept')));
});

t.test('the CUDA provider is linked where it is of the same version, and refused where it is not', linux, async t => {
  const folder = t.testdir({
    capi: {
      'libonnxruntime.so.1.30.0': '',
      'libonnxruntime_providers_shared.so': '',
      'libonnxruntime_providers_cuda.so': '',
    },
    partial: { 'libonnxruntime_providers_shared.so': '' },
    unknown: { 'libonnxruntime_providers_shared.so': '', 'libonnxruntime_providers_cuda.so': '' },
  });
  const into = join(folder, 'into');
  mkdirSync(into);
  const code = 'E_ENGINE_LIBRARY';
  t.throws(() => linkCudaProvider('1.31.1', join(folder, 'capi'), into), {
    code,
    message: /is of 1\.30\.0; this is ONNX Runtime 1\.31\.1/,
    hint: /onnxruntime-gpu==1\.31\.1/,
  });
  t.throws(() => linkCudaProvider('1.30.0', join(folder, 'unknown'), into), { code, message: /an unknown version/ });
  t.throws(() => linkCudaProvider('1.30.0', join(folder, 'partial'), into), { code, message: /_cuda\.so is missing/ });
  t.same(readdirSync(into), []);
  linkCudaProvider('1.30.0', join(folder, 'capi'), into);
  linkCudaProvider('1.30.0', join(folder, 'capi'), into);
  t.equal(
    readlinkSync(join(into, 'libonnxruntime_providers_cuda.so')),
    join(folder, 'capi', 'libonnxruntime_providers_cuda.so'),
  );
});

t.test("the binding is built by the package's own tool, with the headers beside this Node where they are", async t => {
  const folder = t.testdir({
    'package.json': '{}',
    node_modules: { '@mapbox': { 'node-pre-gyp': { bin: { 'node-pre-gyp': '' }, 'package.json': '{}' } } },
  });
  const { script, environment } = bindingBuild(folder);
  t.match(script, [/node-pre-gyp$/, 'install', '--build-from-source']);
  const nodeFolder = environment.npm_config_nodedir;
  t.ok(nodeFolder === undefined || existsSync(join(nodeFolder, 'include', 'node', 'node.h')));
});
