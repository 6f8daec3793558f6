import { encodeModel } from '@sim2servo/models/onnx-model';
import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { sac } from '../src/algorithms/sac.js';
import { initialState } from '../src/engine/initial-state.js';
import { exportActor } from '../src/export-actor.js';
import { readPolicy } from '../src/read-policy.js';

const sizes = { observation: 3, action: 2 };
const config = { ...sac.defaults, hiddenSizes: [8, 4] };

t.test('an exported policy gives back its weights and normaliser, to the bit', t => {
  const state = initialState(sac.declare(sizes, config), new Random(7));
  const normaliser = { mean: Float32Array.of(1, 2, 3), std: Float32Array.of(0.5, 1, 2) };
  const read = readPolicy(exportActor(sac, sizes, config, state, normaliser));
  t.strictSame(read.normaliser, normaliser);
  const actor = Object.fromEntries(Object.entries(state.parameters).filter(([name]) => name.startsWith('actor/')));
  t.strictSame(read.parameters, actor);
  t.end();
});

t.test('a policy of another maker is refused', t => {
  const model = encodeModel({
    irVersion: 8,
    graph: { name: 'x', node: [], initializer: [{ name: 'w', dims: [1], dataType: 1, rawData: new Uint8Array(4) }] },
  });
  t.throws(() => readPolicy(model), { code: 'E_POLICY_FOREIGN', message: /found: w/ });
  t.end();
});
