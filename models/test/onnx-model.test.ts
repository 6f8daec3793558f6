import fc from 'fast-check';
import t from 'tap';
import { attributeTypes, decodeModel, encodeModel, floatValue, type OnnxModel, onnxTypes } from '../src/onnx-model.js';

t.test('a model comes back from its bytes as it was', async t => {
  const model: OnnxModel = {
    irVersion: 8,
    producerName: 'sim2servo',
    producerVersion: '0.1.0',
    graph: {
      node: [
        {
          input: ['x', 'w'],
          output: ['y'],
          name: 'product',
          opType: 'Gemm',
          attribute: [
            { name: 'alpha', f: 0.5, type: attributeTypes.float },
            { name: 'transB', i: 1, type: attributeTypes.int },
            { name: 'axes', ints: [0, -1], type: attributeTypes.ints },
            { name: 'scales', floats: [0.25, -2], type: attributeTypes.floats },
            {
              name: 'value',
              t: { dims: [1], dataType: onnxTypes.int64, rawData: Buffer.of(1, 0, 0, 0, 0, 0, 0, 0) },
              type: attributeTypes.tensor,
            },
          ],
          domain: '',
        },
      ],
      name: 'g',
      initializer: [{ dims: [2, 1], dataType: onnxTypes.float, name: 'w', rawData: Buffer.alloc(8, 7) }],
      input: [floatValue('x', [1, 2])],
      output: [floatValue('y', [1, 1])],
    },
    opsetImport: [{ domain: '', version: 17 }],
    metadataProps: [{ key: 'a', value: 'b' }],
  };
  t.same(decodeModel(encodeModel(model)), model);
});

t.test('fields stand under the numbers of the ONNX specification', async t => {
  // Tags by hand: field number × 8 + wire type.
  t.same([...encodeModel({ irVersion: 8 })], [0x08, 8], 'ir_version = 1, varint');
  t.same(
    [...encodeModel({ graph: { name: 'g' } })],
    [0x3a, 3, 0x12, 1, 0x67],
    'graph = 7, length 3; in it name = 2, one byte g',
  );
  t.same([...encodeModel({ opsetImport: [{ version: 17 }] })], [0x42, 2, 0x10, 17], 'opset_import = 8; version = 2');
  t.same(
    [...encodeModel({ graph: { node: [{ opType: 'Tanh' }] } })],
    [0x3a, 8, 0x0a, 6, 0x22, 4, ...Buffer.from('Tanh')],
    'node = 1; op_type = 4',
  );
});

t.test('a float value has its name, type and dimensions', async t => {
  t.same(floatValue('observation', [1, 22]), {
    name: 'observation',
    type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 1 }, { dimValue: 22 }] } } },
  });
});

t.test('numbers beyond 32 bits and below zero come back', async t => {
  for (const i of [-1, 2 ** 31, -(2 ** 40), 2 ** 53 - 1]) {
    const model = { graph: { node: [{ opType: 'X', attribute: [{ name: 'i', i }] }] } };
    t.equal(decodeModel(encodeModel(model)).graph?.node?.[0]?.attribute?.[0]?.i, i);
  }
});

t.test('decoding and encoding again gives the same bytes', async t => {
  const name = fc.string({ maxLength: 8 });
  const tensor = fc.record(
    {
      name,
      dims: fc.array(fc.nat(9), { maxLength: 3 }),
      dataType: fc.nat(9),
      rawData: fc.uint8Array({ maxLength: 9 }),
    },
    { requiredKeys: ['name'] },
  );
  const node = fc.record(
    {
      opType: name,
      input: fc.array(name, { maxLength: 3 }),
      output: fc.array(name, { maxLength: 2 }),
      attribute: fc.array(fc.record({ name, f: fc.float({ noNaN: true }), t: tensor }, { requiredKeys: ['name'] }), {
        maxLength: 2,
      }),
    },
    { requiredKeys: ['opType'] },
  );
  fc.assert(
    fc.property(
      fc.array(node, { maxLength: 4 }),
      fc.array(tensor, { maxLength: 3 }),
      fc.nat(20),
      (nodes, initializer, version) => {
        const bytes = encodeModel({ opsetImport: [{ version }], graph: { name: 'g', node: nodes, initializer } });
        return Buffer.compare(encodeModel(decodeModel(bytes)), bytes) === 0;
      },
    ),
  );
  t.pass();
});

t.test('bytes that are no protobuf throw', async t => {
  t.throws(() => decodeModel(Uint8Array.of(0xff, 0xff, 0xff)));
  t.throws(() => decodeModel(Buffer.from('{"not": "onnx"}')));
  const whole = encodeModel({ graph: { name: 'a long enough name' } });
  t.throws(() => decodeModel(whole.subarray(0, whole.length - 4)), 'cut off');
});
