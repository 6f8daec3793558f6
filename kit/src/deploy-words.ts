/** A deployment in words: one line a step, with its time; what a robot has; its history. What a robot says is shown without what would move the cursor. */

import type { Status } from '@sim2servo/deploy/agent/protocol';
import type { DeployReport, DeployStep } from '@sim2servo/deploy/targets/deploy-bundle';
import type { Target } from '@sim2servo/deploy/targets/target';
import { shortDigest } from '@sim2servo/models/digest';
import { printable } from '@sim2servo/models/printable';
import type { HistoryEntry } from '@sim2servo/runtime/releases/history';
import { duration } from './progress-line.js';

/** 1536 → '1.5 KiB' */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 2 ** 20) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

const line = (name: string, words: string, seconds: number): string =>
  `${name.padEnd(12)}${printable(words)}  (${seconds.toFixed(seconds < 10 ? 2 : 0)} s)`;

/** One line for a step that is over, or that goes on (`sending`). */
export function stepLine(step: DeployStep, seconds: number): string {
  const rate = (bytes: number) => `${size(Math.round(bytes / Math.max(seconds, 1e-3)))}/s`;
  switch (step.kind) {
    case 'checked':
      return line(
        'checked',
        `${step.name} ${shortDigest(step.digest)}, ${step.signed ? 'signed' : 'not signed'}`,
        seconds,
      );
    case 'connected':
      return line('connected', robotLine(step.hello), seconds);
    case 'lacking':
      return line(
        'lacking',
        `${step.lacking} of ${step.files} files${step.bytes > 0 ? `, ${size(step.bytes)}` : ''}`,
        seconds,
      );
    case 'sending': {
      const leftS = (step.ofBytes - step.bytes) / Math.max(step.bytes / Math.max(seconds, 1e-3), 1);
      return `sending     ${size(step.bytes)} of ${size(step.ofBytes)} at ${rate(step.bytes)}, ${duration(leftS)} left`;
    }
    case 'sent':
      return line('sent', `${size(step.bytes)} at ${rate(step.bytes)}`, seconds);
    case 'robot':
      return line(step.entry.event, step.entry.words, seconds);
  }
}

function robotLine({ robot, runtimeVersion, platform, current, running }: Status): string {
  const drives = running === undefined ? '' : `; ${shortDigest(running.digest)} drives`;
  const has = current === undefined ? 'no policy yet' : `current is ${shortDigest(current)}`;
  return `${robot ?? 'a folder'}, runtime ${runtimeVersion} on ${platform}; ${has}${drives}`;
}

/** @param run the command that drives an arm at this machine with the store */
export function nextCommand(
  { outcome, driven }: Pick<DeployReport, 'outcome' | 'driven'>,
  target: Target,
  to: string,
  run: string,
): string {
  const hindered = outcome === 'waiting' && driven;
  switch (target.kind) {
    case 'folder':
      return hindered ? `end the run that drives the arm, then ${run}` : run;
    case 'ssh':
      return hindered ? `kit stop ${to}, then kit start ${to}` : `kit deploy status --to ${to}`;
    case 'mqtt':
      return hindered ? 'end the run there (kit stop), then start it again' : `kit deploy status --to ${to}`;
  }
}

/** What came of it, and the next command. @param next the command that drives the robot */
export function reportWords(
  { digest, outcome, words, previous, figures }: DeployReport,
  to: string,
  next: string,
): string {
  const because = printable(words);
  const done = {
    current: `deployed ${shortDigest(digest)} to ${to}: ${because}`,
    committed: `deployed ${shortDigest(digest)} to ${to}: it was tried, and drives`,
    waiting: `deployed ${shortDigest(digest)} to ${to}, on trial: ${because}`,
    undecided: `${shortDigest(digest)} is at ${to}, and its trial goes on: ${because}`,
    'rolled-back': `${shortDigest(digest)} was rolled back: ${because}`,
  }[outcome];
  const { goldenMaxError, inferP99Us } = figures;
  const before =
    outcome === 'waiting' || outcome === 'undecided'
      ? 'is what it falls back to; to take it back'
      : "is kept as 'previous'; back to it";
  return [
    done,
    ...(goldenMaxError === undefined
      ? []
      : [
          `self-test there: golden vectors within ${goldenMaxError.toExponential(1)}, inference p99 ${inferP99Us?.toFixed(0)} µs`,
        ]),
    previous === undefined
      ? 'it is the first policy there'
      : `the one before, ${shortDigest(previous)}, ${before}: kit deploy rollback --to ${to}`,
    `next: ${next}`,
  ].join('\n');
}

export function statusWords(status: Status): string {
  const { robot, runtimeVersion, platform, current, previous, running, state, freeBytes, lastError } = status;
  const { trial } = state;
  const row = (name: string, value: string) => `${name.padEnd(10)}${printable(value)}`;
  const bad = Object.entries(state.bad).map(([digest, why]) => row('bad', `${shortDigest(digest)} ${why}`));
  return [
    row('robot', robot ?? 'not named: the folder was asked without --robot'),
    row('runtime', `${runtimeVersion} on ${platform}`),
    row('current', current === undefined ? 'none' : shortDigest(current)),
    row('previous', previous === undefined ? 'none' : shortDigest(previous)),
    row('drives', running === undefined ? 'nobody' : `${shortDigest(running.digest)}, for ${duration(running.sinceS)}`),
    ...(trial === undefined
      ? []
      : [
          row(
            'on trial',
            `${shortDigest(trial.digest)}, ${trial.phase}${trial.running ? '' : `, waits for ${trial.waits === undefined ? 'a run' : `the next run: ${trial.waits}`}`}`,
          ),
        ]),
    ...bad,
    row('free', size(freeBytes)),
    ...(lastError === undefined ? [] : [row('error', lastError.message)]),
  ].join('\n');
}

export function historyWords(entries: readonly HistoryEntry[]): string {
  if (entries.length === 0) return 'nothing happened here yet';
  return entries
    .map(({ at, digest, event, words, seconds, by }) =>
      printable(
        `${at.slice(0, 19).replace('T', ' ')}  ${shortDigest(digest)}  ${event.padEnd(12)}${words}  (${seconds.toFixed(2)} s${by === undefined ? '' : `, ${by}`})`,
      ),
    )
    .join('\n');
}
