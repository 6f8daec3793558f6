/**
 * Work that counts in some rows only, done for those rows only.
 *
 * The gradient of an element-wise minimum goes, row by row, to one of its two sides; on the other it is zero, and so is all that is
 * computed from it row by row, back through a whole network. Those rows are left out: the others are gathered, worked on, and put back
 * among zeros. Of two critics' backward passes one's worth is left, with the same numbers bit for bit.
 */
import type { OnnxNode } from '@sim2servo/models/onnx-model';
import { elementCount } from '../nn/parameter.js';
import type { Graph } from './graph.js';

/** Exactly one of a pair holds, for numbers. */
const complements: Readonly<Record<string, string>> = {
  LessOrEqual: 'Greater',
  Greater: 'LessOrEqual',
  Less: 'GreaterOrEqual',
  GreaterOrEqual: 'Less',
};

const unary = new Set(['Cast', 'HardSigmoid', 'Neg', 'Relu', 'Sigmoid', 'Tanh']);

/**
 * @param nodes   in an order in which they can be computed
 * @param outputs values that must be there in the end
 * @returns the nodes that compute the same; some of the old ones may be of no use any more
 */
export function selectRows(graph: Graph, nodes: readonly OnnxNode[], outputs: ReadonlySet<string>): OnnxNode[] {
  const producers = new Map(nodes.map(node => [node.output![0]!, node]));
  const users = new Map<string, OnnxNode[]>();
  for (const node of nodes)
    for (const input of new Set(node.input)) users.set(input, [...(users.get(input) ?? []), node]);
  const onlyUser = (value: string) =>
    outputs.has(value) || users.get(value)?.length !== 1 ? undefined : users.get(value)![0];

  /** 0 for a value that by its rank is the same in all rows, undefined where nothing is known. */
  function rowsOf(value: string): number | undefined {
    const shape = graph.shapeOf(value);
    if (shape === undefined || shape.length > 2) return undefined;
    return shape.length === 2 ? shape[0]! : 0;
  }

  /** The condition of a product with a column of zeros and ones that has its opposite in the graph too. */
  function conditionOf(node: OnnxNode): string | undefined {
    if (node.opType !== 'Mul') return undefined;
    const casts = node.input!.map(input => producers.get(input)).filter(producer => producer?.opType === 'Cast');
    return casts
      .map(cast => cast!.input![0]!)
      .find(name => {
        const condition = producers.get(name);
        const [rows, columns, ...more] = graph.shapeOf(name) ?? [];
        if (condition === undefined || rows === 1 || columns !== 1 || more.length > 0) return false;
        const opposite = complements[condition.opType];
        return opposite !== undefined && graph.find(opposite, condition.input!) !== undefined;
      });
  }

  /** From a product with such a column on, what depends on it alone and row by row. */
  function chainFrom(start: OnnxNode, rows: number): OnnxNode[] {
    const chain = [start];
    for (;;) {
      const value = chain.at(-1)!.output![0]!;
      const next = onlyUser(value);
      if (next === undefined || !isRowWise(next, value, rows)) return chain;
      chain.push(next);
    }
  }

  function isRowWise({ opType, input = [], attribute = [] }: OnnxNode, value: string, rows: number): boolean {
    const [other, ...more] = input.filter(name => name !== value);
    if (other === undefined || more.length > 0) return false;
    if (opType === 'Gemm') return input[0] === value && !attribute.some(({ name, i }) => name === 'transA' && i === 1);
    return opType === 'Mul' && [0, 1, rows].includes(rowsOf(other) ?? -1);
  }

  /** The same chain for the rows that `condition` selects, its end put back among zeros: what stands instead of each of its nodes. */
  function onSelected(chain: readonly OnnxNode[], condition: string, rows: number): OnnxNode[][] {
    let made: OnnxNode[] = [];
    const add = (
      opType: string,
      input: string[],
      attribute: OnnxNode['attribute'] = [],
      output = graph.freshName(),
    ) => {
      made.push({ opType, input, output: [output], attribute });
      return output;
    };
    // NonZero of [rows, 1] is [2, n]: the numbers of the rows, then those of the columns, all 0.
    const coordinates = add('NonZero', [condition]);
    const selected = add('Gather', [coordinates, graph.constant(Int32Array.of(0), [], 'int32')]);
    const gathered = (value: string): string => {
      if (rowsOf(value) !== rows) return value;
      const producer = producers.get(value);
      // A unary operation after the gathering costs less than before it.
      if (
        producer !== undefined &&
        unary.has(producer.opType) &&
        onlyUser(value) &&
        rowsOf(producer.input![0]!) === rows
      )
        return add(producer.opType, [gathered(producer.input![0]!)], producer.attribute);
      return add('Gather', [value, selected]);
    };
    let [before, now] = ['', ''];
    const pieces = chain.map(({ opType, input, output, attribute }) => {
      const operands = input!.map((name, i) => {
        if (name === before) return now;
        return opType === 'Gemm' && i > 0 ? name : gathered(name);
      });
      now = add(opType, operands, attribute);
      before = output![0]!;
      const piece = made;
      made = [];
      return piece;
    });
    const shape = graph.shapeOf(before)!;
    const zeros = graph.constant(new Float32Array(elementCount(shape)), shape, 'float32');
    add('ScatterND', [zeros, add('Unsqueeze', [selected, graph.indices([1])]), now], [], before);
    pieces.at(-1)!.push(...made);
    return pieces;
  }

  const instead = new Map<OnnxNode, OnnxNode[]>();
  for (const start of nodes) {
    const condition = conditionOf(start);
    if (condition === undefined) continue;
    const rows = rowsOf(condition)!;
    const chain = chainFrom(start, rows);
    if (!chain.some(({ opType }) => opType === 'Gemm')) continue;
    for (const [i, piece] of onSelected(chain, condition, rows).entries()) instead.set(chain[i]!, piece);
  }
  return nodes.flatMap(node => instead.get(node) ?? [node]);
}
