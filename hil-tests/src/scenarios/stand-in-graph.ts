/**
 * A graph of the size of a policy that was learnt, with random weights: where a machine's punctuality is measured what it says does not count,
 * but how long it takes.
 */
import { encodeModel, floatValue, onnxTypes } from '@sim2servo/models/onnx-model';
import { Random } from '@sim2servo/models/random';

/** Two hidden layers, as the recipes have them. */
const hidden = [256, 256] as const;

export function standInGraph(observation: number, action: number): Uint8Array {
  const random = new Random(0);
  const sizes = [observation, ...hidden, action];
  const tensor = (name: string, dims: number[], scale: number) => ({
    name,
    dims,
    dataType: onnxTypes.float,
    rawData: new Uint8Array(
      Float32Array.from({ length: dims.reduce((product, size) => product * size, 1) }, () => scale * random.normal())
        .buffer,
    ),
  });
  const layers = sizes.slice(1).map((size, i) => ({ from: sizes[i]!, size, i }));
  return encodeModel({
    irVersion: 8,
    producerName: 'sim2servo',
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'stand-in',
      node: layers.flatMap(({ i }) => [
        { opType: 'Gemm', input: [i === 0 ? 'observation' : `h${i}`, `w${i}`, `b${i}`], output: [`x${i}`] },
        { opType: 'Tanh', input: [`x${i}`], output: [i === layers.length - 1 ? 'action' : `h${i + 1}`] },
      ]),
      initializer: layers.flatMap(({ from, size, i }) => [
        tensor(`w${i}`, [from, size], 1 / Math.sqrt(from)),
        tensor(`b${i}`, [size], 0.1),
      ]),
      input: [floatValue('observation', [1, observation])],
      output: [floatValue('action', [1, action])],
    },
  });
}
