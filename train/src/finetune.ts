/**
 * `kit finetune`: a policy goes on learning from the logs of the real arm, off-policy, and becomes a new bundle.
 *
 * Half of each batch is logged and half simulated, as in RLPD (arXiv 2302.02948 §4.1): the logs say how this arm differs, the simulation,
 * which has not been told, keeps the policy able to do what the logs don't show. Actor, critics and temperature go on from the parent's;
 * RLPD's ten new critics were tried first and are worse here (learner-file.ts). What is exported is the average of the newest actors, not the
 * best in simulation: the simulation cannot judge an arm that it does not know.
 *
 * Logs of a policy that explores are worth more than those of one that does not: on desk2's changed arm, 50 episodes with noise of 0.15, 0.3, 0.5
 * and 0.8 on the actions won back about 40, 55, 70 and 80 % of the lost accuracy (two to four seeds each); with 0.7 it was 68 to 88 % over
 * twenty seeds.
 */
import { resolve } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import { type ExportedBundle, exportBundle } from './export-bundle.js';
import type { TrainingProgress } from './learn-options.js';
import { openPolicySource, type PolicySource } from './policy-source.js';
import { importLogs, logFiles, type SkippedPairs } from './replay/log-import.js';
import { createRunFolder, type RunFolder } from './run-folder.js';
import { runIn } from './train-run.js';
import type { RobotTrainingConfig } from './training-config.js';

export interface FinetuneOptions {
  /** A bundle or a run folder: the parent. */
  readonly from: string;
  /** A folder of `.mcap` files, or one such file. */
  readonly logs: string;
  /** The new run's folder. */
  readonly out: string;
  /** The new bundle's folder. */
  readonly bundle: string;
  /** Where the robot's folder lies, if not where the parent says. */
  readonly robot?: string;
  readonly seed?: number;
  /** Simulated steps; two updates each. */
  readonly steps?: number;
  /** Of each batch; 1 learns from the logs alone. */
  readonly loggedShare?: number;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly signal?: AbortSignal;
}

export interface FinetuneOutcome {
  readonly folder: RunFolder;
  readonly bundle: ExportedBundle;
  /** Logged transitions that were learnt from, the episodes they came in, and what was left out. */
  readonly transitions: number;
  readonly episodes: number;
  readonly skipped: SkippedPairs;
  readonly updates: number;
  readonly seconds: number;
}

export const finetuneDefaults = { seed: 0, steps: 6000, loggedShare: 0.5 } as const;

export async function finetune(options: FinetuneOptions): Promise<FinetuneOutcome> {
  if (resolve(options.bundle) === resolve(options.from))
    throw new KitError(
      'E_FINETUNE_PARENT',
      `the new bundle would replace its parent ${options.from}`,
      'name another folder for it',
      'usage',
    );
  const source = openPolicySource(options.from, options.robot);
  const logs = importLogs(logFiles(options.logs), source.robot.spec, source.task);
  const loggedShare = options.loggedShare ?? finetuneDefaults.loggedShare;
  const config = finetuneConfig(source, options, logs.sha256);
  const folder = createRunFolder(options.out, config);
  const { parameters, normaliser } = source.weights;
  const outcome = await runIn(
    folder,
    config,
    {
      ...(options.onProgress && { onProgress: options.onProgress }),
      ...(options.signal && { signal: options.signal }),
    },
    { start: { parameters, normaliser, logged: { replay: logs.replay, share: loggedShare } } },
  );
  if (!outcome.finished)
    throw new KitError(
      'E_INTERRUPTED',
      `Fine-tuning was stopped at step ${outcome.step} of ${config.loop.steps}.`,
      `Start it again with another --out; ${folder.path} holds the half-done run.`,
      'interrupt',
    );
  const bundle = await exportBundle({
    run: folder.path,
    out: options.bundle,
    ...(options.robot !== undefined && { robot: options.robot }),
    ...(source.digest !== undefined && { parent: source.digest }),
    logs: logs.sha256,
  });
  const { transitions, episodes, skipped } = logs;
  return { folder, bundle, transitions, episodes, skipped, updates: outcome.updates, seconds: outcome.seconds };
}

function finetuneConfig(source: PolicySource, options: FinetuneOptions, logs: readonly string[]): RobotTrainingConfig {
  const { startedFrom: _, ...config } = source.config;
  const steps = options.steps ?? finetuneDefaults.steps;
  return {
    ...config,
    loop: {
      ...config.loop,
      seed: options.seed ?? finetuneDefaults.seed,
      steps,
      learningStarts: Math.min(1000, Math.ceil(steps / 4)),
      updatesPerStep: 2,
      evaluateEvery: 1000,
      checkpointEvery: steps,
    },
    finetune: {
      parent: source.digest ?? source.path,
      logs: [...logs],
      loggedShare: options.loggedShare ?? finetuneDefaults.loggedShare,
    },
  };
}
