import t from 'tap';
import { checkPolicyGraph } from '../../src/bundle/policy-graph.js';
import { encodeModel, floatValue, type OnnxGraph, type OnnxModel, onnxTypes } from '../../src/onnx-model.js';
import { actions, observations, smallModel } from './small-bundle.js';

function check(changes: Partial<OnnxModel>, graph: Partial<OnnxGraph> = {}): void {
  checkPolicyGraph(encodeModel(smallModel(changes, graph)), observations, actions);
}

const good = smallModel().graph!;
const node = { opType: 'Identity', input: ['observation'], output: ['x'] };
const outside = { externalData: [{ key: 'location', value: '/etc/passwd' }] };

t.test('a plain graph of the right sizes passes', async t => {
  t.doesNotThrow(() => check({}));
  t.doesNotThrow(() => check({ opsetImport: [{ domain: 'ai.onnx', version: 17 }] }));
  t.doesNotThrow(() => check({ producerName: 'sim2servo', metadataProps: [{ key: 'a', value: 'b' }] }));
});

t.test('an input that is also an initializer is a constant, not an input', async t => {
  t.doesNotThrow(() => check({}, { input: [...good.input!, floatValue('w', [observations, actions])] }));
});

t.test('bytes that are no model are refused', async t => {
  for (const bytes of [Buffer.from('not onnx at all'), Uint8Array.of(0xff), encodeModel(smallModel()).subarray(0, 60)])
    t.throws(() => checkPolicyGraph(bytes, observations, actions), {
      code: 'E_MODEL_PARSE',
      message: /is not an ONNX model/,
    });
  t.throws(() => checkPolicyGraph(new Uint8Array(), observations, actions), {
    code: 'E_MODEL_PARSE',
    message: /no graph/,
  });
});

t.test('external data is refused: a tensor could name any file', async t => {
  const [w] = good.initializer!;
  const refused = { code: 'E_MODEL_EXTERNAL_DATA', message: /another file/ };
  t.throws(() => check({}, { initializer: [{ ...w!, ...outside }] }), refused, 'in an initializer');
  t.throws(() => check({}, { initializer: [{ ...w!, dataLocation: 1 }] }), refused, 'by its location alone');
  const constant = (attribute: object) => ({
    node: [...good.node!, { opType: 'Constant', output: ['c'], attribute: [{ name: 'value', ...attribute }] }],
  });
  t.throws(() => check({}, constant({ t: { dims: [1], dataType: 1, ...outside } })), refused, 'in a constant');
  t.throws(() => check({}, constant({ tensors: [{ dims: [1], ...outside }] })), refused, 'in a list of constants');
});

t.test('custom domains are refused: an operator of theirs is code', async t => {
  t.throws(
    () =>
      check({
        opsetImport: [
          { domain: '', version: 17 },
          { domain: 'com.evil', version: 1 },
        ],
      }),
    {
      code: 'E_MODEL_DOMAIN',
      message: /imports the custom domain 'com\.evil'/,
    },
  );
  t.throws(() => check({}, { node: [...good.node!, { ...node, domain: 'com.microsoft' }] }), {
    code: 'E_MODEL_DOMAIN',
    message: /uses Identity of the custom domain 'com\.microsoft'/,
  });
  t.throws(() => check({ functions: [{ name: 'own' }] }), { code: 'E_MODEL_DOMAIN', message: /functions of its own/ });
});

t.test('control flow is refused: it can run for ever', async t => {
  for (const opType of ['If', 'Loop', 'Scan', 'SequenceMap'])
    t.throws(() => check({}, { node: [...good.node!, { ...node, opType }] }), {
      code: 'E_MODEL_CONTROL_FLOW',
      message: new RegExp(opType),
    });
  const nested = { name: 'body', g: { name: 'inner' } };
  t.throws(
    () => check({}, { node: [...good.node!, { ...node, opType: 'NewOp', attribute: [nested] }] }),
    { code: 'E_MODEL_CONTROL_FLOW', message: /NewOp/ },
    'a graph inside any operator counts as control flow',
  );
  t.throws(() => check({}, { node: [{ ...node, attribute: [{ name: 'b', graphs: [{ name: 'i' }] }] }] }), {
    code: 'E_MODEL_CONTROL_FLOW',
  });
});

t.test('wrong shapes are refused, with what was found', async t => {
  const refused = (found: string) => ({ code: 'E_MODEL_SHAPE', message: new RegExp(found) });
  const input = (...input: OnnxGraph['input'] & object) => check({}, { input });
  const output = (...output: OnnxGraph['output'] & object) => check({}, { output });
  t.throws(
    () => input(floatValue('observation', [1, 5])),
    refused(`of 1×${observations}; it has 'observation' \\(1×5\\)`),
  );
  t.throws(() => input(floatValue('observation', [2, observations])), refused(`2×${observations}`));
  t.throws(() => input(floatValue('observation', [observations])), refused(`\\(${observations}\\)`));
  t.throws(() => input(floatValue('obs', [1, observations])), refused("'obs'"));
  t.throws(() => input(), refused('none'));
  t.throws(
    () => input(floatValue('observation', [1, observations]), floatValue('more', [1])),
    refused("'observation', 'more'"),
  );
  t.throws(() => output(floatValue('action', [1, actions + 1])), refused(`output 'action' of 1×${actions}`));
  t.throws(() => output(), refused('output'));
  t.throws(() => output(floatValue('action', [1, actions]), floatValue('logStd', [1, actions])), refused("'logStd'"));
  const dynamic = {
    name: 'observation',
    type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'n' }, { dimValue: observations }] } } },
  };
  t.throws(() => input(dynamic), refused('n×'));
  t.throws(() => input({ name: 'observation' }), refused('\\?'));
  const double = {
    name: 'action',
    type: { tensorType: { elemType: onnxTypes.int64, shape: { dim: [{ dimValue: 1 }, { dimValue: actions }] } } },
  };
  t.throws(() => output(double), refused('float output'));
});

t.test('what this reader would pass over is refused: the runtime might not pass over it', async t => {
  const bytes = encodeModel(smallModel());
  const refused = { code: 'E_MODEL_HIDDEN', message: /parts that this kit does not read/ };
  const withMore =
    (...more: number[]) =>
    () =>
      checkPolicyGraph(Buffer.concat([bytes, Buffer.of(...more)]), observations, actions);
  t.throws(withMore(0xa2, 0x01, 0), refused, 'training_info, field 20');
  t.throws(withMore(0xf8, 0x07, 1), refused, 'an unknown field');
});

t.test('a second graph in the same file is refused: some readers merge the two, some take the last', async t => {
  const bytes = encodeModel(smallModel());
  const more = encodeModel({ graph: { node: [node] } });
  const foul = encodeModel({ graph: { ...good, initializer: [{ ...good.initializer![0]!, ...outside }] } });
  for (const [name, both] of Object.entries({ after: [bytes, more], before: [more, bytes] }))
    t.throws(() => checkPolicyGraph(Buffer.concat(both), observations, actions), { code: 'E_MODEL_HIDDEN' }, name);
  for (const [name, both] of Object.entries({ 'foul after': [bytes, foul], 'foul before': [foul, bytes] }))
    t.throws(
      () => checkPolicyGraph(Buffer.concat(both), observations, actions),
      { code: /E_MODEL_(HIDDEN|EXTERNAL_DATA)/ },
      name,
    );
});

t.test('sparse tensors are refused: their values could lie in another file', async t => {
  t.throws(() => check({}, { sparseInitializer: [{ values: { name: 's' } }] }), {
    code: 'E_MODEL_HIDDEN',
    message: /sparse/,
  });
  const attribute = [{ name: 'sparse_value', sparseTensor: { values: { name: 's', ...outside } } }];
  t.throws(() => check({}, { node: [...good.node!, { opType: 'Constant', output: ['c'], attribute }] }), {
    code: 'E_MODEL_HIDDEN',
    message: /sparse tensors in Constant/,
  });
});
