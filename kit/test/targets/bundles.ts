/** Bundles of one robot that differ in what a test wants to differ, made of the two that ship. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { type BundleContent, writeBundle } from '@sim2servo/models/bundle/write-bundle';
import { decodeModel, encodeModel } from '@sim2servo/models/onnx-model';
import { type LoadedRobot, loadRobot, shippedPolicies } from '@sim2servo/models/robot-folder';
import { bindGraph } from '@sim2servo/runtime/inference-backend';

export const robot = loadRobot('so101');
const shipped = ['so101-reach-50hz', 'so101-reach-100hz'].map(name => loadBundle(join(shippedPolicies, name)));

/** Bytes of a file that no policy reads, so that one bundle is large enough to be cut in the middle of. */
export const ballastBytes = 400_000;
const ballast = (seed: number) =>
  Uint8Array.from({ length: ballastBytes }, (_, i) => (Math.imul(i + seed, 2_654_435_761) >>> 16) & 0xff);

/**
 * Writes a bundle into `folder`.
 *
 * @param policy  0 or 1: they share nothing but the robot
 * @param seed    of the file beside the policy: two bundles of one seed share it
 * @param changes what is wrong with it
 * @returns its digest
 */
export function writeVariant(
  folder: string,
  policy: 0 | 1,
  seed: number,
  changes: Partial<BundleContent> = {},
): string {
  const { manifest, model, golden } = shipped[policy]!;
  const { name, task, controlRateHz, provenance } = manifest;
  return writeBundle(folder, {
    name,
    task,
    controlRateHz,
    provenance,
    robot,
    model,
    golden,
    extra: { 'learner.ckpt': ballast(seed) },
    createdAt: new Date(0),
    ...changes,
  });
}

/** The golden actions, off by `by`: the policy answers otherwise than its trainer said. */
export function goldenOff(by: number): Partial<BundleContent> {
  const { observations, actions } = shipped[0]!.golden;
  return { golden: { observations, actions: actions.map(action => action.map(a => a + by)) } };
}

/** The first shipped policy with all that its last layer says so many times as large: with 0 it stands still, with −1 it runs away from its goals. */
export async function louder(times: number): Promise<Partial<BundleContent>> {
  const model = decodeModel(shipped[0]!.model);
  const { node, initializer } = model.graph!;
  const last = node!.findLast(({ opType }) => opType === 'Gemm')!;
  for (const tensor of initializer!)
    if (last.input!.slice(1).includes(tensor.name!)) {
      const values = new Float32Array(new Uint8Array(tensor.rawData!).buffer).map(value => value * times);
      tensor.rawData = new Uint8Array(values.buffer);
    }
  const changed = encodeModel(model);
  const { observations, actions } = shipped[0]!.golden;
  const width = actions[0]!.length;
  const observation = new Float32Array(observations[0]!.length);
  const action = new Float32Array(width);
  const graph = await bindGraph(changed, { observation, action, scratch: new Float32Array(width) });
  const answers: number[][] = [];
  for (const each of observations) {
    observation.set(each);
    await graph.run(false);
    answers.push([...action]);
  }
  await graph.dispose();
  return { model: changed, golden: { observations, actions: answers } };
}

/** A copy of the robot's folder whose site a test may change. */
export class RobotFolder {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    cpSync(robot.folder, folder, { recursive: true });
  }

  get robot(): LoadedRobot {
    return loadRobot(this.folder);
  }

  trust(keys: readonly string[]): void {
    const path = join(this.folder, 'site.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), trustedKeys: keys }));
  }
}
