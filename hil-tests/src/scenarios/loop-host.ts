/** Starts a real host program in a process of its own (loop-process.ts), and hears what it measures. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { KitError } from '@sim2servo/models/error';
import type { LoopReport } from '@sim2servo/runtime/loop-report';

export interface LoopHostSetup {
  /** Name of a shipped robot, or the path of a robot folder. */
  readonly robot: string;
  readonly port: string;
  /** One log a run, its number and `.mcap` behind it. */
  readonly logPath: string;
  readonly controlRateHz: number;
  readonly runs: number;
  /** Of each run, beside its arming. */
  readonly seconds: number;
  readonly speedShare: number;
}

export type LoopHostMessage =
  /** The arming ramp is over. */
  | { readonly kind: 'moving' }
  | { readonly kind: 'ticks'; readonly ticks: number }
  | { readonly kind: 'run'; readonly report: LoopReport }
  | { readonly kind: 'failed'; readonly message: string };

export interface LoopHost {
  readonly process: ChildProcess;
  /** Resolves when it moves the arm. @throws KitError E_HIL_HOST where it ends before */
  readonly moving: Promise<void>;
  /** The reports of all runs, when it has ended. @throws KitError E_HIL_HOST */
  readonly reports: Promise<readonly LoopReport[]>;
  /** Ticks of the present run so far. */
  ticks(): number;
}

export function startLoopHost(setup: LoopHostSetup): LoopHost {
  const child = fork(fileURLToPath(new URL('./loop-process.js', import.meta.url)), { serialization: 'advanced' });
  const reports: LoopReport[] = [];
  let failure = 'it ended without a word';
  let ticks = 0;
  let hasMoved = (): void => {};
  const moves = new Promise<void>(resolve => {
    hasMoved = resolve;
  });
  child.on('message', (message: LoopHostMessage) => {
    if (message.kind === 'moving') hasMoved();
    else if (message.kind === 'ticks') ticks = message.ticks;
    else if (message.kind === 'run') reports.push(message.report);
    else failure = message.message;
  });
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const all = ended.then(() => {
    const stopped = reports.find(({ end }) => end.kind !== 'done');
    if (stopped === undefined && reports.length === setup.runs) return reports;
    throw new KitError(
      'E_HIL_HOST',
      `the host program could not do its ${setup.runs} runs: ${stopped?.end.reason ?? failure}`,
      'this machine may be too busy: try again when it is not',
    );
  });
  // Whoever kills it does not wait for its reports.
  all.catch(() => {});
  child.send(setup);
  const moving = Promise.race([moves, all.then(() => {})]);
  moving.catch(() => {});
  return {
    process: child,
    moving,
    reports: all,
    ticks: () => ticks,
  };
}
