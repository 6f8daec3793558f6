import t from 'tap';
import { weightsApart } from '../../src/bundle/weights-apart.js';
import { decodeModel, encodeModel, floatValue, type OnnxModel, onnxTypes } from '../../src/onnx-model.js';

/** y = relu(x·kernel) cut to its first column. */
function model(kernel: readonly number[], changes: { units?: number; asFloatData?: boolean; listed?: boolean } = {}) {
  const { units = 2, asFloatData = false, listed = false } = changes;
  const floats = asFloatData
    ? { floatData: [...kernel] }
    : { rawData: new Uint8Array(Float32Array.from(kernel).buffer) };
  const shape = (name: string, value: number) => ({
    name,
    dims: [1],
    dataType: onnxTypes.int64,
    rawData: new Uint8Array(BigInt64Array.of(BigInt(value)).buffer),
  });
  const described: OnnxModel = {
    irVersion: 8,
    producerName: `trained on ${kernel[0]}`,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: `policy ${kernel[0]}`,
      node: [
        { opType: 'MatMul', input: ['observation', 'kernel'], output: ['hidden'] },
        { opType: 'Slice', input: ['hidden', 'from', 'to', 'axis'], output: ['action'] },
      ],
      initializer: [
        shape('from', 0),
        { name: 'kernel', dims: [kernel.length / units, units], dataType: onnxTypes.float, ...floats },
        shape('to', 1),
        shape('axis', 1),
      ],
      input: [floatValue('observation', [1, kernel.length / units]), ...(listed ? [floatValue('kernel', [2, 2])] : [])],
      output: [floatValue('action', [1, 1])],
    },
  };
  return encodeModel(described);
}

t.test('what was learnt comes apart from the network, and nothing else does', async t => {
  const { network, weights } = weightsApart(model([1, 2, 3, 4]));
  t.same(weights, [{ name: 'kernel', dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) }]);
  const { graph } = decodeModel(network);
  t.same(
    graph!.input!.map(({ name }) => name),
    ['observation', 'kernel'],
  );
  t.same(
    graph!.initializer!.map(({ name }) => name),
    ['from', 'to', 'axis'],
    'numbers that say how to compute stay',
  );
});

t.test('policies of one architecture have the same network, byte for byte; of another they have not', async t => {
  const { network } = weightsApart(model([1, 2, 3, 4]));
  t.same(weightsApart(model([5, 6, 7, 8])).network, network, 'whatever they have learnt, and whoever made them');
  t.same(weightsApart(model([5, 6, 7, 8], { asFloatData: true })).network, network);
  t.same(weightsApart(model([5, 6, 7, 8], { listed: true })).network, network);
  t.notSame(weightsApart(model([5, 6, 7, 8], { units: 4 })).network, network);
  t.notSame(weightsApart(model([5, 6, 7, 8, 9, 10])).network, network);
});

t.test('the weights are a copy', async t => {
  const bytes = model([1, 2, 3, 4]);
  const { weights } = weightsApart(bytes);
  bytes.fill(0);
  t.same([...weights[0]!.data], [1, 2, 3, 4]);
});
