/** A release store as a deployer fills it, with policies that differ by name alone: what changes when one takes over is who drives, not how. */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { writeBundle } from '@sim2servo/models/bundle/write-bundle';
import { observationSize } from '@sim2servo/models/observe';
import { type LoadedRobot, shippedPolicies } from '@sim2servo/models/robot-folder';
import { bindGraph } from '@sim2servo/runtime/inference-backend';
import { deployToFolder } from '@sim2servo/runtime/releases/deploy-to-folder';
import { emptyRecord } from '@sim2servo/runtime/releases/policy-record';
import { openStore } from '@sim2servo/runtime/releases/release-store';
import type { DeployerOrder } from './deployer.js';
import { standInGraph } from './stand-in-graph.js';

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
  readonly #tried: string;
  readonly #deployer: Worker;

  /** Of three policies: one drives, one was good before it, one is let in and not on trial yet. */
  static async create(folder: string, robot: LoadedRobot): Promise<Deployed> {
    const content = await contentFor(robot);
    const bundle = (name: string) => {
      const path = `${folder}-${name}`;
      writeBundle(path, { ...content, name, robot, createdAt: new Date(0) });
      return path;
    };
    for (const name of ['a', 'b']) {
      await deployToFolder(bundle(name), folder);
      const store = openStore(folder);
      store.enter('full');
      store.commit(emptyRecord);
    }
    const { digest } = await openStore(folder).admit(loadBundle(bundle('c')), {});
    const deployer = new Worker(new URL('./deployer.js', import.meta.url), { workerData: folder });
    // What it loads takes a core for a while: no loop should drive beside that.
    await once(deployer, 'message');
    return new Deployed(folder, digest, deployer);
  }

  private constructor(folder: string, tried: string, deployer: Worker) {
    this.folder = folder;
    this.#tried = tried;
    this.#deployer = deployer;
  }

  /** The one that was good before drives again, without a trial. */
  back(): void {
    this.#order({ kind: 'back' });
  }

  /** The third is to be tried. */
  propose(): void {
    this.#order({ kind: 'propose', digest: this.#tried });
  }

  async close(): Promise<void> {
    await this.#deployer.terminate();
  }

  #order(order: DeployerOrder): void {
    this.#deployer.postMessage(order);
  }
}
