import t from 'tap';
import { engineNames } from '../../src/engine/engine.js';
import { engineNamed } from '../../src/engine/engine-named.js';

t.test('an engine is found by its own name and by its device', async t => {
  for (const name of engineNames) t.equal(engineNamed(name), name);
  t.equal(engineNamed('cpu'), 'split');
  t.equal(engineNamed('webgpu'), 'fused-webgpu');
  t.equal(engineNamed('tfjs-node-gpu'), 'eager-tfjs-node-gpu');
});

t.test('any other name is an error that lists them', async t => {
  for (const name of ['gpu', '', 'toString', 'auto']) {
    t.throws(() => engineNamed(name), { code: 'E_ENGINE_UNKNOWN', hint: /webgpu.*fused-cuda/ });
  }
});
