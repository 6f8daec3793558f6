/**
 * Where a run keeps what it makes: `config.json`, `metrics.jsonl`, TensorBoard event files, `checkpoints/`, `figures/`.
 *
 * `checkpoints/latest.ckpt` holds the whole state and is what a run resumes from; `checkpoints/best.ckpt` holds the networks of the best
 * evaluation, and is what is exported: the last parameters of a run are rarely its best.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeDurably } from '@sim2servo/models/durable-file';
import { KitError, messageOf } from '@sim2servo/models/error';
import { parseTrainingConfig, type TrainingConfig } from './training-config.js';

export interface RunFolder {
  readonly path: string;
  readonly configPath: string;
  readonly latestCheckpoint: string;
  readonly bestCheckpoint: string;
  readonly figures: string;
}

function layout(path: string): RunFolder {
  const folder = resolve(path);
  return {
    path: folder,
    configPath: join(folder, 'config.json'),
    latestCheckpoint: join(folder, 'checkpoints', 'latest.ckpt'),
    bestCheckpoint: join(folder, 'checkpoints', 'best.ckpt'),
    figures: join(folder, 'figures'),
  };
}

/** Makes the folder of a new run; refuses one that already holds a run. */
export function createRunFolder(path: string, config: TrainingConfig): RunFolder {
  const folder = layout(path);
  if (existsSync(folder.configPath))
    throw new KitError(
      'E_RUN_EXISTS',
      `${folder.path} already holds a run.`,
      `Go on with it: kit train --resume ${path}, or name another folder with --out.`,
      'usage',
    );
  try {
    mkdirSync(join(folder.path, 'checkpoints'), { recursive: true });
    mkdirSync(folder.figures, { recursive: true });
    writeDurably(folder.configPath, `${JSON.stringify(config, null, 2)}\n`);
  } catch (error) {
    throw new KitError(
      'E_RUN_FOLDER',
      `Cannot make the run folder ${folder.path}: ${messageOf(error)}`,
      'Name a folder that can be written with --out.',
      'usage',
      {
        cause: error,
      },
    );
  }
  return folder;
}

/** Opens the folder of a run that was started before. */
export function openRunFolder(path: string): { folder: RunFolder; config: TrainingConfig } {
  const folder = layout(path);
  let text: string;
  try {
    text = readFileSync(folder.configPath, 'utf8');
  } catch (error) {
    throw new KitError(
      'E_NO_RUN',
      `${folder.path} holds no run: ${messageOf(error)}`,
      'Give the folder that kit train printed.',
      'usage',
      { cause: error },
    );
  }
  return { folder, config: parseTrainingConfig(parseJson(text, folder.configPath), folder.configPath) };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new KitError(
      'E_TRAINING_CONFIG',
      `${path}: ${messageOf(error)}`,
      'Restore the file; it was written when the run began.',
      'usage',
      { cause: error },
    );
  }
}
