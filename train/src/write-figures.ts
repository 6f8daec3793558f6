/** The three figures of a run, from its metrics and its last checkpoint. */
import { join } from 'node:path';
import { writeDurably } from '@sim2servo/models/durable-file';
import { readRunCheckpoint } from './checkpoint.js';
import { actionUsage } from './figures/action-usage.js';
import { entropyFigure } from './figures/entropy.js';
import { learningCurve } from './figures/learning-curve.js';
import { readMetrics } from './metrics/metrics-log.js';
import type { RunFolder } from './run-folder.js';
import type { TrainingConfig } from './training-config.js';
import type { TrainingWorld } from './training-world.js';

/** How many of the newest steps the action histogram shows. */
const shownSteps = 5000;

export function writeFigures(folder: RunFolder, config: TrainingConfig, world: TrainingWorld): void {
  const metrics = readMetrics(folder.path);
  const { replay, step } = readRunCheckpoint(folder.latestCheckpoint);
  const { actuators, title } = world;
  const { sac, loop } = config;
  const run = `${title}, ${config.algorithm} ${sac.hiddenSizes.join('×')}, batch ${sac.batchSize}, seed ${loop.seed}`;
  const shown = Math.min(shownSteps, replay.reward.length);
  const target = sac.targetEntropy === 'auto' ? -actuators.length : sac.targetEntropy;
  const newest = newestActions(replay.action, replay.added, replay.reward.length, actuators.length, shown);
  writeDurably(join(folder.figures, 'learning-curve.svg'), learningCurve(metrics, run));
  writeDurably(
    join(folder.figures, 'action-usage.svg'),
    actionUsage(newest, actuators, `${run}; the last ${shown} of ${step} steps`),
  );
  writeDurably(join(folder.figures, 'entropy.svg'), entropyFigure(metrics, target, run));
}

/** The newest rows of a ring in which row `added % rows` is the next to be written. */
function newestActions(actions: Float32Array, added: number, rows: number, width: number, count: number): Float32Array {
  const newest = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const row = (added - count + i) % rows;
    newest.set(actions.subarray(row * width, (row + 1) * width), i * width);
  }
  return newest;
}
