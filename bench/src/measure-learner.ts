/**
 * SAC updates a second of the split engine, drawing of batches and noise included, on random transitions with 11 observations and 2 actions.
 *
 * Besides: how much a whole update leaves for the garbage collector, and how much the process grew from the first tenth to the end.
 */
import { Random } from '@sim2servo/models/random';
import { sac } from '@sim2servo/train/algorithms/sac';
import { createEngine } from '@sim2servo/train/engine/create-engine';
import { identityNormaliser } from '@sim2servo/train/observation-normaliser';
import { asReplayBatch, ReplayBuffer } from '@sim2servo/train/replay/replay-buffer';
import type { Figures } from './turns.js';

export interface LearnerWork {
  readonly hidden: number;
  readonly batch: number;
  readonly threads: number;
  readonly updates: number;
}

const sizes = { observation: 11, action: 2 };
const replaySize = 10_000;
const warmUp = 50;

function randomReplay(random: Random): ReplayBuffer {
  const replay = ReplayBuffer.create({
    capacity: replaySize,
    slack: 0,
    observationSize: sizes.observation,
    actionSize: sizes.action,
  });
  const [before, after] = [new Float32Array(sizes.observation), new Float32Array(sizes.observation)];
  for (let i = 0; i < replaySize; i++) {
    random.fillNormal(before);
    random.fillNormal(after);
    const action = Float32Array.from({ length: sizes.action }, () => random.uniform(-1, 1));
    replay.add(before, action, random.normal(), after, random.uniform() < 0.05, false);
    replay.commit();
  }
  return replay;
}

export async function measureLearner({ hidden, batch, threads, updates }: LearnerWork): Promise<Figures> {
  const random = new Random(0);
  const config = { ...sac.defaults, hiddenSizes: [hidden, hidden], batchSize: batch };
  const engine = await createEngine('split', sac, sizes, config, random.fork('engine'), { threads });
  const replay = randomReplay(random);
  const rows = asReplayBatch(engine.batch);
  const normaliser = identityNormaliser(sizes.observation);
  const heapSteps: number[] = [];
  let [start, grownFrom] = [0, 0];
  for (let i = -warmUp; i < updates; i++) {
    if (i === 0) start = performance.now();
    if (i === Math.floor(updates / 10)) grownFrom = process.memoryUsage.rss();
    const heap = i % 50 === 0 ? process.memoryUsage().heapUsed : undefined;
    replay.sample(rows, random, normaliser);
    engine.drawNoise(random);
    const running = engine.update();
    if (running instanceof Promise) await running;
    if (heap !== undefined) heapSteps.push(process.memoryUsage().heapUsed - heap);
  }
  const seconds = (performance.now() - start) / 1000;
  const rssGrowthMiB = (process.memoryUsage.rss() - grownFrom) / 2 ** 20;
  await engine.dispose();
  // One that holds a collection is negative; the median of the others is what an update allocates.
  const grown = heapSteps.filter(bytes => bytes > 0).toSorted((a, b) => a - b);
  return { updatesPerSecond: updates / seconds, heapBytesPerUpdate: grown[grown.length >> 1] ?? 0, rssGrowthMiB };
}
