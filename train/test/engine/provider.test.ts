import t from 'tap';
import { engineNames } from '../../src/engine/engine.js';
import { fusedProvider, providerMissing, providers } from '../../src/engine/provider.js';

t.test('each fused engine has its provider, and no other engine has one', async t => {
  t.same(
    engineNames.flatMap(name => fusedProvider(name) ?? []),
    [...providers],
  );
  t.equal(fusedProvider('split'), undefined);
  t.equal(fusedProvider('eager-cpu'), undefined);
});

t.test("what happened stands in the error, without ONNX Runtime's paths and functions", async t => {
  const thrown = new Error(
    '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 void Init()::<lambda()> status == Success was false. No adapter\nmore',
  );
  t.match(providerMissing('webgpu', thrown), {
    code: 'E_ENGINE_MISSING',
    message: "The engine fused-webgpu can't start here: No adapter",
    hint: /graphics driver/,
    cause: thrown,
  });
});
