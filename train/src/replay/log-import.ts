/**
 * Transitions of the real arm from its logs (MCAP), as rows of a replay.
 *
 * A log holds what happened, not what it was worth: rewards are computed here by the task's own function, so a log can be learnt from
 * under another reward. Actions are the executed ones. Two records make a transition only where they follow each other in one episode
 * without a gap, neither saw a stale sample and the action was in time; nothing reaches across.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { McapStreamReader } from '@mcap/core';
import { KitError, messageOf } from '@sim2servo/models/error';
import { observationSize } from '@sim2servo/models/observe';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { Task } from '@sim2servo/models/tasks/task';
import { decodeTransition, type TransitionRecord, transitionTopic } from '@sim2servo/models/transition';
import { ReplayBuffer } from './replay-buffer.js';

/** Pairs of records that are no transition, by reason. */
export interface SkippedPairs {
  /** A tick between them was lost. */
  readonly gap: number;
  /** One of them saw an old sample. */
  readonly stale: number;
  /** The action was sent too late for the next record to show its effect. */
  readonly late: number;
}

export interface ImportedLogs {
  readonly replay: ReplayBuffer;
  /** SHA-256 of each file, in the order of their names. */
  readonly sha256: readonly string[];
  readonly records: number;
  readonly transitions: number;
  readonly episodes: number;
  /** What was left out. */
  readonly skipped: SkippedPairs;
}

/** All `.mcap` files of a folder, or the one file that `path` names. */
export function logFiles(path: string): string[] {
  let files: string[];
  try {
    files = statSync(path).isDirectory()
      ? readdirSync(path)
          .filter(name => name.endsWith('.mcap'))
          .sort()
          .map(name => join(path, name))
      : [path];
  } catch (error) {
    throw new KitError(
      'E_LOGS',
      `Cannot read logs from ${path}: ${messageOf(error)}`,
      'Give a folder with .mcap files, or one such file.',
      'usage',
      { cause: error },
    );
  }
  if (files.length === 0)
    throw new KitError('E_LOGS', `${path} holds no .mcap file.`, 'Record some with kit run.', 'usage');
  return files;
}

/** The records of one file, in order. A file that was cut off gives what its whole chunks hold. */
export function readLog(path: string): { records: TransitionRecord[]; sha256: string } {
  const bytes = readFileSync(path);
  const reader = new McapStreamReader();
  const channels = new Set<number>();
  const records: TransitionRecord[] = [];
  try {
    reader.append(bytes);
    for (let record = reader.nextRecord(); record !== undefined; record = reader.nextRecord()) {
      if (record.type === 'Channel' && record.topic === transitionTopic) channels.add(record.id);
      else if (record.type === 'Message' && channels.has(record.channelId)) records.push(decodeTransition(record.data));
    }
  } catch (error) {
    throw new KitError(
      'E_LOG_DAMAGED',
      `${path} is no log, or damaged: ${messageOf(error)}`,
      `Try: kit logs recover ${path}`,
      'failed',
      { cause: error },
    );
  }
  return { records, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Reads logs into a replay of just the size they need. */
export function importLogs(paths: readonly string[], spec: RobotSpec, task: Task): ImportedLogs {
  const logs = paths.map(readLog);
  const imported = replayOf(
    logs.map(log => log.records),
    spec,
    task,
  );
  if (imported.transitions === 0)
    throw new KitError(
      'E_LOGS_EMPTY',
      `${paths.join(', ')}: no two records follow each other.`,
      'Record some episodes with kit run.',
    );
  return { ...imported, sha256: logs.map(log => log.sha256) };
}

/** Pairs up consecutive records, log by log. */
export function replayOf(
  logs: readonly (readonly TransitionRecord[])[],
  spec: RobotSpec,
  task: Task,
): Omit<ImportedLogs, 'sha256'> {
  const actionSize = spec.joints.length;
  const width = observationSize(spec);
  const total = logs.reduce((sum, log) => sum + log.length, 0);
  const replay = ReplayBuffer.create({ capacity: Math.max(1, total), slack: 0, observationSize: width, actionSize });
  const skipped = { gap: 0, stale: 0, late: 0 };
  let episodes = 0;
  for (const log of logs) {
    for (const [i, record] of log.entries()) {
      const next = log[i + 1];
      if (record.step === 0 || log[i - 1]?.episode !== record.episode) episodes++;
      if (record.observation.length !== width || record.actionExecuted.length !== actionSize)
        throw new KitError(
          'E_LOG_SHAPE',
          `A record has ${record.observation.length} observations and ${record.actionExecuted.length} actions; ${spec.name} has ${width} and ${actionSize}.`,
          'Give logs of the same robot.',
          'usage',
        );
      if (next === undefined || next.episode !== record.episode) continue;
      if (next.step !== record.step + 1) skipped.gap++;
      else if (next.stale || record.stale) skipped.stale++;
      else if (record.late) skipped.late++;
      else
        replay.add(
          Float32Array.from(record.observation),
          Float32Array.from(record.actionExecuted),
          task.reward(spec, record, record.actionExecuted, next, record.goal),
          Float32Array.from(next.observation),
          record.terminated,
          record.truncated,
        );
    }
  }
  replay.commit();
  return { replay, records: total, transitions: replay.size, episodes, skipped };
}
