/** Kills processes that deploy, at each of their steps and at any moment, and looks at the store that each of them leaves. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '@sim2servo/models/random';
import { openStore } from '../../src/releases/release-store.js';
import { writeBundles } from './deployment-courses.js';
import { killed, startBeside } from './other-process.js';
import { deployingHere, tryStore } from './store-after-restart.js';

/** Operations on the disk from the first policy of a life to the end of the second. */
const operations = 160;
const longestMs = 400;

export interface Kills {
  readonly kills: number;
  readonly atSteps: number;
  readonly atMoments: number;
  /** How many of the lives had made another policy current. */
  readonly changed: number;
}

/** @throws Error what is wrong with a store */
export async function killDeployments(folder: string, kills: number, { seed = 1 } = {}): Promise<Kills> {
  const random = new Random(seed);
  const [next = ''] = writeBundles(folder, 1);
  const store = join(folder, 'store');
  const atSteps = Math.ceil(0.8 * kills);
  let counted: Kills = { kills: 0, atSteps: 0, atMoments: 0, changed: 0 };
  for (let life = 0; life < kills; life++) {
    const before = openStore(store).current();
    // Spread over the steps, each time beside those of the round before; of each step before it and after it.
    const step = 1 + (Math.floor((life >> 1) * operations * 0.618034) % operations);
    const own = life < atSteps ? [String(step), life % 2 === 0 ? 'before' : 'after'] : [];
    const child = await startBeside('deploy-until-killed.js', folder, String(1000 * (life + 1)), ...own);
    if (life >= atSteps) await sleep(random.uniform(0, longestMs));
    else while (child.exitCode === null && child.signalCode === null) await sleep(5);
    await killed(child);
    if (child.signalCode !== 'SIGKILL') throw new Error(`life ${life} ended by itself, with ${child.exitCode}`);
    const opened = openStore(store);
    const changed = opened.current() !== before;
    try {
      await tryStore(opened, deployingHere(next));
    } catch (error) {
      throw new Error(`after life ${life} (${own.join(' ') || 'at some moment'})`, { cause: error });
    }
    const done = life + 1;
    counted = {
      kills: done,
      atSteps: Math.min(done, atSteps),
      atMoments: Math.max(0, done - atSteps),
      changed: counted.changed + Number(changed),
    };
  }
  return counted;
}
