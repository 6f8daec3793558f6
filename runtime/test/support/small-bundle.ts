/** A policy bundle for tests: action = tanh(W·observation + b), written by hand as an ONNX graph. */
import { writeBundle } from '@sim2servo/models/bundle/write-bundle';
import { observationSize } from '@sim2servo/models/observe';
import { attributeTypes, encodeModel, floatValue, onnxTypes } from '@sim2servo/models/onnx-model';
import { Random } from '@sim2servo/models/random';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';

export interface SmallPolicy {
  /** [observations × actions] */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

export function randomPolicy(robot: LoadedRobot, seed = 1): SmallPolicy {
  const random = new Random(seed);
  const actions = robot.spec.joints.length;
  const weights = Float32Array.from({ length: observationSize(robot.spec) * actions }, () => random.uniform(-0.3, 0.3));
  return { weights, bias: new Float32Array(actions) };
}

export function answer(policy: SmallPolicy, observation: ArrayLike<number>): number[] {
  return Array.from(policy.bias, (bias, j) => {
    let sum = bias;
    for (let i = 0; i < observation.length; i++) sum += observation[i]! * policy.weights[i * policy.bias.length + j]!;
    return Math.tanh(sum);
  });
}

function tensor(name: string, dims: number[], data: Float32Array) {
  return { name, dims, dataType: onnxTypes.float, rawData: new Uint8Array(data.buffer.slice(0)) };
}

export function modelOf(policy: SmallPolicy): Uint8Array {
  const actions = policy.bias.length;
  const size = policy.weights.length / actions;
  return encodeModel({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'policy',
      node: [
        {
          opType: 'Gemm',
          input: ['observation', 'weights', 'bias'],
          output: ['sum'],
          attribute: [{ name: 'alpha', type: attributeTypes.float, f: 1 }],
        },
        { opType: 'Tanh', input: ['sum'], output: ['action'] },
      ],
      initializer: [tensor('weights', [size, actions], policy.weights), tensor('bias', [actions], policy.bias)],
      input: [floatValue('observation', [1, size])],
      output: [floatValue('action', [1, actions])],
    },
  });
}

/** Writes a bundle into `folder`. Returns its digest. */
export function writeSmallBundle(
  folder: string,
  robot: LoadedRobot,
  policy = randomPolicy(robot),
  changes: { golden?: number; controlRateHz?: number; name?: string } = {},
): string {
  const random = new Random(7);
  const observations = Array.from({ length: 8 }, () =>
    Array.from({ length: observationSize(robot.spec) }, () => Math.fround(random.uniform(-1, 1))),
  );
  const actions = observations.map(o => answer(policy, o).map(a => a + (changes.golden ?? 0)));
  return writeBundle(folder, {
    name: changes.name ?? 'small',
    robot,
    task: 'reach',
    controlRateHz: changes.controlRateHz ?? 50,
    model: modelOf(policy),
    golden: { observations, actions },
    provenance: { algorithm: 'none', config: {}, seed: 1, steps: 0, evaluation: {}, logs: [] },
    createdAt: new Date(0),
  });
}
