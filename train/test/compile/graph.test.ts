import t from 'tap';
import { Graph, intAttribute } from '../../src/compile/graph.js';

t.test('the same operation on the same inputs is recorded once', async t => {
  const graph = new Graph();
  const first = graph.operation('Add', ['a', 'b']);
  t.equal(graph.operation('Add', ['a', 'b']), first);
  t.not(graph.operation('Add', ['b', 'a']), first);
  t.not(graph.operation('Sub', ['a', 'b']), first);
  t.equal(graph.find('Add', ['a', 'b']), first);
  t.equal(graph.find('Mul', ['a', 'b']), undefined);
});

t.test('attributes tell operations apart', async t => {
  const graph = new Graph();
  const concat = (axis: number) => graph.operation('Concat', ['a', 'b'], [intAttribute('axis', axis)]);
  t.not(concat(0), concat(1));
  t.equal(concat(1), concat(1));
});

t.test('equal constants are kept once, of one shape and type', async t => {
  const graph = new Graph();
  t.equal(graph.scalar(2), graph.scalar(2));
  t.not(graph.scalar(2), graph.scalar(-2));
  t.not(graph.constant(Float32Array.of(2), [1], 'float32'), graph.scalar(2));
  t.not(graph.constant(Float32Array.of(0), [], 'float32'), graph.constant(Int32Array.of(0), [], 'int32'));
});

t.test('what no output needs is left out: operations, constants, inputs', async t => {
  const graph = new Graph();
  const sum = graph.operation('Add', ['a', graph.scalar(1)]);
  graph.operation('Mul', ['unused', graph.scalar(3)]);
  const { nodes, constants, used } = graph.finish([[sum, 'sum']]);
  t.same(
    nodes.map(({ opType }) => opType),
    ['Add'],
  );
  t.equal(constants.length, 1);
  t.ok(used.has('a') && !used.has('unused'));
});

t.test('an output is named where it is computed, also for those who read it', async t => {
  const graph = new Graph();
  const sum = graph.operation('Add', ['a', 'b']);
  const root = graph.operation('Sqrt', [sum]);
  const { nodes } = graph.finish([
    [sum, 'sum'],
    [root, 'root'],
  ]);
  t.same(
    nodes.map(({ input, output }) => [input, output]),
    [
      [['a', 'b'], ['sum']],
      [['sum'], ['root']],
    ],
  );
});

t.test('only an input, a constant, or a value of two names is copied', async t => {
  const graph = new Graph();
  const sum = graph.operation('Add', ['a', 'b']);
  const { nodes } = graph.finish([
    [sum, 'one'],
    [sum, 'two'],
    ['a', 'same'],
    [graph.scalar(4), 'four'],
  ]);
  const copies = nodes
    .filter(({ opType }) => opType === 'Identity')
    .map(({ input, output }) => [input![0], output![0]]);
  t.same(
    copies.map(([, output]) => output),
    ['two', 'same', 'four'],
  );
  t.same(copies[0], ['one', 'two']);
  t.same(copies[1], ['a', 'same']);
});

t.test('indices are int64', async t => {
  const graph = new Graph();
  const { constants } = graph.finish([[graph.indices([-1, 2 ** 40]), 'x']]);
  t.equal(constants[0]?.dataType, 7);
  t.same([...new BigInt64Array(constants[0]!.rawData!.slice().buffer)], [-1n, 2n ** 40n]);
});
