/** Policies of one network that do, on the two joints of desk2, what a trial is to find: good ones and bad ones. */
import { writeBundle } from '@sim2servo/models/bundle/write-bundle';
import { observationNames } from '@sim2servo/models/observe';
import { decodeModel, encodeModel } from '@sim2servo/models/onnx-model';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { modelOf, type SmallPolicy } from './small-bundle.js';

/** action = tanh(above) / below: not a number where both are 0. */
export interface Fraction {
  readonly above: SmallPolicy;
  readonly below: SmallPolicy;
}

export class TrialPolicies {
  readonly #robot: LoadedRobot;
  readonly #names: readonly string[];

  constructor(robot: LoadedRobot) {
    this.#robot = robot;
    this.#names = observationNames(robot.spec);
  }

  /** Goes to where the joints' positions, as observed, are `place`, and the faster the larger `gain` is. */
  goingTo(place: number, gain = 1): Fraction {
    return this.#fraction({ position: -gain }, gain * place);
  }

  /** Wants the opposite of its last action in every tick. */
  shaking(): Fraction {
    return this.#fraction({ 'actions.0': -20 }, 0.3);
  }

  /** Swings to and fro, `share` of what the limiters permit without acting. */
  swinging(share: number): Fraction {
    return this.#fraction({ 'actions.0': 1.2, position: -share * 0.4 }, 0.01);
  }

  /** Right where the trainer looked, no number where an arm stands still. */
  notANumber(): Fraction {
    return { above: this.#linear({}, 0), below: this.#linear({ 'actions.0': 1 }, 0) };
  }

  /** @returns its digest */
  write(folder: string, { above, below }: Fraction, name = 'small'): string {
    const observation = this.#names.map((_, i) => Math.fround(0.3 + 0.01 * i));
    const value = ({ weights, bias }: SmallPolicy, j: number) =>
      observation.reduce((sum, o, i) => sum + o * weights[i * bias.length + j]!, bias[j]!);
    return writeBundle(folder, {
      name,
      robot: this.#robot,
      task: 'reach',
      controlRateHz: 50,
      model: this.#model({ above, below }),
      golden: {
        observations: [observation],
        actions: [this.#robot.spec.joints.map((_, j) => Math.tanh(value(above, j)) / value(below, j))],
      },
      provenance: { algorithm: 'none', config: {}, seed: 1, steps: 0, evaluation: {}, logs: [] },
      createdAt: new Date(0),
    });
  }

  #fraction(gains: Readonly<Record<string, number>>, bias: number): Fraction {
    return { above: this.#linear(gains, bias), below: this.#linear({}, 1) };
  }

  /** @param gains of each joint's own observation of this name */
  #linear(gains: Readonly<Record<string, number>>, bias: number): SmallPolicy {
    const { joints } = this.#robot.spec;
    const weights = new Float32Array(this.#names.length * joints.length);
    for (const [term, gain] of Object.entries(gains))
      for (const [j, { name }] of joints.entries())
        weights[this.#names.indexOf(`${term}.${name}`) * joints.length + j] = gain;
    return { weights, bias: new Float32Array(joints.length).fill(bias) };
  }

  #model({ above, below }: Fraction): Uint8Array {
    const model = decodeModel(modelOf(above));
    const graph = model.graph!;
    const [gemm, tanh] = graph.node!;
    const tensors = decodeModel(modelOf(below)).graph!.initializer!;
    graph.initializer!.push(...tensors.map(tensor => ({ ...tensor, name: `${tensor.name} below` })));
    graph.node = [
      gemm!,
      { ...tanh!, output: ['above'] },
      { ...gemm!, input: ['observation', 'weights below', 'bias below'], output: ['below'] },
      { opType: 'Div', input: ['above', 'below'], output: ['action'] },
    ];
    return encodeModel(model);
  }
}
