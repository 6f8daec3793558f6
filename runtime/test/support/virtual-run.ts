/** A run in virtual time, with one goal and no end, beside a store that is changed in real time. */
import { listedGoals } from '../../src/goal-source.js';
import { type RunOptions, type RunReport, runPolicy } from '../../src/run-policy.js';
import { goal, robot } from './arm-fixture.js';
import { type BoardOptions, VirtualBoard, VirtualClock } from './virtual-board.js';

/** Who waits for a policy that never comes does not wait for ever. */
const patienceMs = 60_000;

export interface UnderWay {
  readonly board: VirtualBoard;
  /** So far. */
  readonly ticks: number;
  end(): void;
}

export interface Play extends Partial<RunOptions> {
  readonly onTick: () => void;
}

/**
 * @param play what is done while it goes on, and what is otherwise about it
 * @returns once it was ended, or has ended by itself
 */
export async function virtualRun(
  policyDir: string,
  play: (run: UnderWay) => Play,
  options: Partial<BoardOptions> = {},
): Promise<{ readonly report: RunReport; readonly board: VirtualBoard }> {
  const clock = new VirtualClock();
  const board = new VirtualBoard(clock, { position: [0.3, 1.4], ...options });
  const ended = new AbortController();
  const patience = setTimeout(() => ended.abort(), patienceMs);
  const run = { board, ticks: 0, end: () => ended.abort() };
  const { onTick, ...changes } = play(run);
  const report = await runPolicy({
    robot,
    policyDir,
    link: { open: async () => board, close: async () => {} },
    clock,
    goals: listedGoals([goal], 1e9),
    virtualTime: true,
    signal: ended.signal,
    onStatus({ ticks }) {
      run.ticks = ticks;
      onTick();
    },
    ...changes,
  }).finally(() => clearTimeout(patience));
  return { report, board };
}
