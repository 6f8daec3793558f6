/** A release store as a deployer fills it, with policies that differ by name alone: what changes when one takes over is who drives, not how. */
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { writeBundle } from '@sim2servo/models/bundle/write-bundle';
import { observationSize } from '@sim2servo/models/observe';
import { type LoadedRobot, shippedPolicies } from '@sim2servo/models/robot-folder';
import { bindGraph } from '@sim2servo/runtime/inference-backend';
import { emptyState, type Trial } from '@sim2servo/runtime/releases/store-state';
import { standInGraph } from '../../src/scenarios/stand-in-graph.js';

/** The shipped policy of an arm that has one; for any other a network of that size, which moves it somehow. */
async function contentFor(robot: LoadedRobot) {
  if (robot.spec.name === 'so101') {
    const { manifest, model, golden } = loadBundle(join(shippedPolicies, 'so101-reach-50hz'));
    const { task, controlRateHz, provenance } = manifest;
    return { task, controlRateHz, provenance, model, golden };
  }
  const observation = new Float32Array(observationSize(robot.spec)).fill(0.25);
  const action = new Float32Array(robot.spec.joints.length);
  const model = standInGraph(observation.length, action.length);
  const graph = await bindGraph(model, { observation, action, scratch: new Float32Array(action) });
  await graph.run(false);
  await graph.dispose();
  return {
    task: 'reach',
    controlRateHz: 50,
    provenance: { algorithm: 'none', config: {}, seed: 0, steps: 0, evaluation: {}, logs: [] },
    model,
    golden: { observations: [[...observation]], actions: [[...action]] },
  };
}

export class Deployed {
  readonly folder: string;
  readonly digests: readonly string[];

  /** @param names of the policies; the first is the one that drives */
  static async create(folder: string, robot: LoadedRobot, names: readonly string[]): Promise<Deployed> {
    const content = await contentFor(robot);
    mkdirSync(join(folder, 'releases'), { recursive: true });
    const digests = names.map(name => {
      const bundle = join(folder, name);
      const digest = writeBundle(bundle, { ...content, name, robot, createdAt: new Date(0) });
      cpSync(bundle, join(folder, 'releases', digest), { recursive: true });
      rmSync(bundle, { recursive: true });
      return digest;
    });
    const deployed = new Deployed(folder, digests);
    deployed.makeCurrent(0);
    return deployed;
  }

  private constructor(folder: string, digests: readonly string[]) {
    this.folder = folder;
    this.digests = digests;
  }

  /** Without a trial. */
  makeCurrent(policy: number): void {
    const draft = join(this.folder, '.current');
    symlinkSync(join('releases', this.digests[policy]!), draft);
    renameSync(draft, join(this.folder, 'current'));
  }

  propose(policy: number, replaces: number): void {
    const trial: Trial = {
      id: `trial of ${policy}`,
      digest: this.digests[policy]!,
      replaces: this.digests[replaces]!,
      phase: 'shadow',
      running: false,
      skip: {},
    };
    writeFileSync(join(this.folder, 'state.json'), JSON.stringify({ ...emptyState, trial }));
  }
}
