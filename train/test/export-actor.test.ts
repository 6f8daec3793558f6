import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeModel } from '@sim2servo/models/onnx-model';
import { Random } from '@sim2servo/models/random';
import * as ortNode from 'onnxruntime-node';
import * as ortWeb from 'onnxruntime-web';
import t from 'tap';
import { type SacConfig, sac } from '../src/algorithms/sac.js';
import { createEngine } from '../src/engine/create-engine.js';
import { exportActor } from '../src/export-actor.js';

const sizes = { observation: 9, action: 3 };
const config: SacConfig = { ...sac.defaults, hiddenSizes: [64, 64], batchSize: 8 };
const count = 1000;
const random = new Random(3);

/** Weights larger than at the start, so that actions cover [−1, 1]. */
const engine = await createEngine('eager-cpu', sac, sizes, config, random.fork('weights'));
const state = engine.save();
for (const values of Object.values(state.parameters))
  values.forEach((value, i) => {
    values[i] = 3 * value;
  });
engine.load(state);
const normaliser = {
  mean: Float32Array.from({ length: sizes.observation }, () => random.normal()),
  std: Float32Array.from({ length: sizes.observation }, () => random.uniform(0.2, 3)),
};
const raw = new Float32Array(count * sizes.observation);
random.fillNormal(raw);
const normalised = raw.map((value, i) => {
  const feature = i % sizes.observation;
  return (value - normaliser.mean[feature]!) / normaliser.std[feature]!;
});
const expected = await engine.act(normalised);
const model = exportActor(sac, sizes, config, state, normaliser);

interface Session {
  run(
    feeds: Record<string, unknown>,
  ): Promise<Record<string, { readonly data: unknown; readonly dims: readonly number[] }>>;
}

async function largestError(session: Session, tensor: (row: Float32Array) => unknown): Promise<number> {
  let largest = 0;
  for (let i = 0; i < count; i++) {
    const row = raw.slice(i * sizes.observation, (i + 1) * sizes.observation);
    const { action } = await session.run({ observation: tensor(row) });
    const values = action!.data as Float32Array;
    for (let j = 0; j < sizes.action; j++) {
      const error = Math.abs(values[j]! - expected[i * sizes.action + j]!);
      // Also catches NaN, which no comparison with Math.max would.
      if (!(error <= largest)) largest = error;
    }
  }
  return largest;
}

t.test('the reference actions reach both ends of the range, so agreement means something', async t => {
  t.ok(Math.max(...expected) > 0.9);
  t.ok(Math.min(...expected) < -0.9);
});

t.test('the exported policy in onnxruntime-node acts as TensorFlow.js does on 1000 observations', async t => {
  const session = await ortNode.InferenceSession.create(model);
  t.same(session.inputNames, ['observation']);
  t.same(session.outputNames, ['action']);
  const error = await largestError(session, row => new ortNode.Tensor('float32', row, [1, sizes.observation]));
  t.ok(error < 1e-5, `largest error ${error}`);
});

t.test(
  'the exported policy in onnxruntime-web (WebAssembly) acts as TensorFlow.js does on 1000 observations',
  async t => {
    ortWeb.env.wasm.numThreads = 1;
    const session = await ortWeb.InferenceSession.create(model, { executionProviders: ['wasm'] });
    const error = await largestError(session, row => new ortWeb.Tensor('float32', row, [1, sizes.observation]));
    t.ok(error < 1e-5, `largest error ${error}`);
  },
);

t.test('the exported file holds its weights by name and only plain operators', async t => {
  const { graph, opsetImport, irVersion } = decodeModel(model);
  t.equal(irVersion, 8);
  t.same(
    opsetImport?.map(({ version }) => version),
    [17],
  );
  const names = graph!.initializer!.map(({ name }) => name);
  for (const name of ['actor/hidden0/kernel', 'actor/out/bias', 'normaliser/mean', 'normaliser/std']) {
    t.ok(names.includes(name), name);
  }
  const operators = [...new Set(graph!.node!.map(({ opType }) => opType))].sort();
  t.same(operators, ['Div', 'Gemm', 'Relu', 'Slice', 'Sub', 'Tanh']);
  const dims = (value: { type?: { tensorType?: { shape?: { dim?: { dimValue?: number }[] } } } }) =>
    value.type?.tensorType?.shape?.dim?.map(({ dimValue }) => dimValue);
  t.same(dims(graph!.input![0]!), [1, sizes.observation]);
  t.same(dims(graph!.output![0]!), [1, sizes.action]);
});

const python = process.env.KIT_PYTHON ?? 'python3';
const hasOnnx = spawnSync(python, ['-c', 'import onnx']).status === 0;

// Only where Python with onnx is installed; the test before says the same about operators and shapes everywhere.
if (hasOnnx) {
  t.test("Python's onnx.checker accepts the file", async t => {
    const file = join(t.testdir(), 'policy.onnx');
    writeFileSync(file, model);
    const check =
      'import onnx, sys; onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True); print("accepted")';
    t.equal(execFileSync(python, ['-c', check, file], { encoding: 'utf8' }).trim(), 'accepted');
  });
}
