/** A run whose log meets a limit on the size of files, as a full disk would be met: says how it ended. */
import type { ServoLink } from '@sim2servo/firmware-bridge/servo-link';
import { KitError } from '@sim2servo/models/error';
import { listedGoals } from '../../src/goal-source.js';
import { runPolicy } from '../../src/run-policy.js';
import { goal, robot } from './arm-fixture.js';
import { VirtualBoard, VirtualClock } from './virtual-board.js';

const [, , policyDir, logPath] = process.argv as [string, string, string, string];
const clock = new VirtualClock();
const board = new VirtualBoard(clock, { position: [0.3, 1.4] });
const link: ServoLink = { open: async () => board, close: async () => {} };
const report = await runPolicy({
  robot,
  policyDir,
  link,
  clock,
  goals: listedGoals([goal], 1_000_000),
  logPath,
  virtualTime: true,
});
const { error } = report.end;
console.log(
  JSON.stringify({
    kind: report.end.kind,
    code: error instanceof KitError ? error.code : '',
    message: error?.message,
    hint: error instanceof KitError ? error.hint : '',
    halts: board.halts,
    ticks: report.ticks,
  }),
);
