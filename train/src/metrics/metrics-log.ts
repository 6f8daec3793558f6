/**
 * The numbers of a run under the names RL people know (`rollout/ep_rew_mean`, `train/ent_coef`, `eval/mean_reward`, …: those of
 * Stable-Baselines3), one JSON line for each dump, and the same to TensorBoard.
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '@sim2servo/models/durable-file';
import { TensorBoardWriter } from './tensorboard.js';

export type Scalars = Readonly<Record<string, number>>;

/** One line of `metrics.jsonl`. */
export type MetricsLine = Scalars & { readonly 'time/total_timesteps': number };

export const metricsFileName = 'metrics.jsonl';

export class MetricsLog {
  readonly #file: number;
  readonly #tensorBoard: TensorBoardWriter;
  /** True while the last line may be there in part. */
  #torn = false;

  /** @param fromStep lines after it are dropped first: a run that resumes at an older checkpoint writes them again */
  constructor(folder: string, fromStep = 0) {
    const path = join(folder, metricsFileName);
    if (existsSync(path)) {
      const kept = readMetrics(folder).filter(line => line['time/total_timesteps'] <= fromStep);
      writeDurably(path, kept.map(line => `${JSON.stringify(line)}\n`).join(''));
    }
    this.#file = openSync(path, 'a');
    this.#tensorBoard = new TensorBoardWriter(folder);
  }

  /** Writes one line. Numbers that JSON cannot hold (a mean over nothing) are left out. */
  write(step: number, scalars: Scalars): void {
    const finite = Object.fromEntries(Object.entries(scalars).filter(([, value]) => Number.isFinite(value)));
    const line = `${JSON.stringify({ 'time/total_timesteps': step, ...finite })}\n`;
    const text = this.#torn ? `\n${line}` : line;
    this.#torn = true;
    // A disk that fills takes a part, and says so only at the next call.
    for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(this.#file, rest));
    this.#torn = false;
    this.#tensorBoard.write(step, finite);
  }

  close(): void {
    closeSync(this.#file);
    this.#tensorBoard.close();
  }
}

/** All whole lines of a run; one cut off by a crash or a full disk is skipped. */
export function readMetrics(folder: string): MetricsLine[] {
  const path = join(folder, metricsFileName);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  lines.pop(); // what follows the last line feed: nothing, or a line that was cut off
  return lines.flatMap(line => {
    try {
      return [JSON.parse(line) as MetricsLine];
    } catch {
      return [];
    }
  });
}
