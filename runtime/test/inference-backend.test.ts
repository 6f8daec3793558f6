import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { observationSize } from '@sim2servo/models/observe';
import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { bindGraph, type GraphBuffers, inferenceBackends } from '../src/inference-backend.js';
import { robot } from './support/arm-fixture.js';
import { answer, modelOf, randomPolicy } from './support/small-bundle.js';

const policy = randomPolicy(robot);
const model = modelOf(policy);
const buffers = (): GraphBuffers => ({
  observation: new Float32Array(observationSize(robot.spec)),
  action: new Float32Array(2),
  scratch: new Float32Array(2),
});

t.test('the private binding that the native backend calls is the one of the pinned version', async t => {
  const require = createRequire(import.meta.url);
  const { version } = require('onnxruntime-node/package.json') as { version: string };
  const pinned = require('../../package.json') as { dependencies: Record<string, string> };
  t.equal(version, pinned.dependencies['onnxruntime-node']);
  const { binding } = require('onnxruntime-node/dist/binding.js') as {
    binding: { InferenceSession: { prototype: Record<string, unknown> } };
  };
  for (const method of ['loadModel', 'run', 'dispose']) t.type(binding.InferenceSession.prototype[method], 'function');
});

t.test('nothing calls home: a process that computes leaves no device id and no events behind', t => {
  const home = t.testdir({ model: Buffer.from(model) });
  const backend = new URL('../src/inference-backend.js', import.meta.url).href;
  const program = `
    import { readFileSync } from 'node:fs';
    import { bindGraph } from '${backend}';
    const [observation, action, scratch] = [${observationSize(robot.spec)}, 2, 2].map(size => new Float32Array(size));
    const graph = await bindGraph(readFileSync('${home}/model'), { observation, action, scratch });
    graph.run(false);
    process.stdout.write(graph.backend);
    await graph.dispose();`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    // Not what a library takes for an automated build, where it keeps quiet by itself.
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: home, XDG_CACHE_HOME: `${home}/cache` },
    encoding: 'utf8',
  });
  t.match(stdout, /^(native|native-async|wasm)$/, stderr);
  t.same(readdirSync(home), ['model']);
  t.end();
});

for (const backend of inferenceBackends)
  t.test(`${backend} computes what the network says, into the caller's buffer`, async t => {
    const own = buffers();
    const graph = await bindGraph(model, own, [backend]);
    t.equal(graph.backend, backend);
    const random = new Random(2);
    for (let n = 0; n < 50; n++) {
      for (let i = 0; i < own.observation.length; i++) own.observation[i] = random.uniform(-1, 1);
      own.action.fill(9);
      await graph.run(false);
      const expected = answer(policy, own.observation);
      for (const [j, value] of expected.entries()) t.ok(Math.abs(own.action[j]! - value) < 1e-6);
    }
    own.action.fill(9);
    await graph.run(true);
    t.same([...own.action], [9, 9], 'a scratch run leaves the action alone');
    t.ok(own.scratch[0] !== 0);
    await graph.dispose();
  });

t.test('native is synchronous: the answer is there when it returns', async t => {
  const own = buffers();
  const graph = await bindGraph(model, own);
  t.equal(graph.backend, 'native');
  own.observation.fill(0.5);
  t.equal(graph.run(false), undefined);
  t.ok(Math.abs(own.action[0]! - answer(policy, own.observation)[0]!) < 1e-6);
  await graph.dispose();
});

t.test('native starts no threads of its own', { skip: process.platform !== 'linux' && 'needs /proc' }, async t => {
  const threads = () => readdirSync('/proc/self/task').length;
  await (await bindGraph(model, buffers())).dispose();
  const before = threads();
  const graph = await bindGraph(model, buffers());
  await graph.run(false);
  t.equal(threads(), before);
  await graph.dispose();
});

t.test('a backend that can not be loaded makes way for the next', async t => {
  const missing = () => Promise.reject(new Error("Cannot find module 'onnxruntime_binding.node'"));
  const found = { run: () => {}, dispose: () => {} };
  const graph = await bindGraph(model, buffers(), inferenceBackends, {
    native: missing,
    'native-async': missing,
    wasm: async () => ({ ...found, backend: 'wasm' as const }),
  });
  t.equal(graph.backend, 'wasm');
  await t.rejects(
    bindGraph(model, buffers(), inferenceBackends, { native: missing, 'native-async': missing, wasm: missing }),
    { code: 'E_NO_INFERENCE', message: /native: Cannot find module.*\n.*native-async: .*\n.*wasm: /s },
  );
});

t.test('a model at fault is no reason to try another backend', async t => {
  for (const backend of inferenceBackends)
    await t.rejects(bindGraph(Uint8Array.of(1, 2, 3), buffers(), [backend]), { code: 'E_MODEL_LOAD' });
});
