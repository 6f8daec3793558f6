/**
 * `npm run long`: whole trials of the 50 Hz policy for so101 and of what was made of it, on emulated servos, through the real link, in virtual
 * time, each with goals of its own: who stays, and who is rolled back.
 *
 * usage: node kit/dist/test/targets/judged-trials.js [OUT.json [TRIALS]]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOnRig } from '@sim2servo/hil-tests/rig/run-on-rig';
import type { BundleContent } from '@sim2servo/models/bundle/write-bundle';
import { writeDurably } from '@sim2servo/models/durable-file';
import { Random } from '@sim2servo/models/random';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { drawnGoals } from '@sim2servo/runtime/goal-source';
import { deployToFolder } from '@sim2servo/runtime/releases/deploy-to-folder';
import { emptyRecord } from '@sim2servo/runtime/releases/policy-record';
import { openStore } from '@sim2servo/runtime/releases/release-store';
import { changedArm } from '@sim2servo/sim/arm-variation';
import { louder, robot, writeVariant } from './bundles.js';

type Outcome = 'committed' | 'rolled-back';

interface Case {
  readonly name: string;
  readonly changes?: Partial<BundleContent>;
  readonly arm?: typeof changedArm;
  /** What must come of it; without it is only counted. */
  readonly must?: Outcome;
}

const cases: readonly Case[] = [
  { name: 'against itself', must: 'committed' },
  { name: 'against itself, on a changed arm', arm: changedArm, must: 'committed' },
  { name: 'last layer × −1', changes: await louder(-1), must: 'rolled-back' },
  { name: 'last layer × 0', changes: await louder(0), must: 'rolled-back' },
  { name: 'last layer × −100', changes: await louder(-100), must: 'rolled-back' },
  { name: 'last layer × 100', changes: await louder(100) },
];

const [, , out, wanted = '40'] = process.argv;
const trials = Number(wanted);
/** The old policy is seen first: it is what the new one is compared with. */
const seenS = 20;
const goalTicks = 200;
const folder = mkdtempSync(join(tmpdir(), 'sim2servo-trials-'));
const old = join(folder, 'old');
writeVariant(old, 0, 0);

async function judged({ name, changes, arm }: Case, trial: number): Promise<{ outcome: Outcome; words: string }> {
  const [store, tried] = [join(folder, 'store'), join(folder, 'tried')];
  for (const path of [store, tried]) rmSync(path, { recursive: true, force: true });
  await deployToFolder(old, store);
  openStore(store).commit(emptyRecord);
  const random = new Random(trial).fork(name);
  const run = {
    rig: 'bus-lockstep',
    robot,
    policyDir: store,
    goals: drawnGoals(robot.spec, taskNamed('reach'), random, goalTicks),
    seed: trial,
    ...(arm && { variation: arm }),
  };
  await runOnRig({ ...run, seconds: seenS });
  writeVariant(tried, 0, 1, changes);
  await deployToFolder(tried, store);
  const ended = new AbortController();
  const { trials: news } = await runOnRig({
    ...run,
    signal: ended.signal,
    onTrial({ event }) {
      if (event === 'committed' || event === 'rolled-back') ended.abort();
    },
  });
  const { event, words } = news.at(-1)!;
  if (event !== 'committed' && event !== 'rolled-back') throw new Error(`${name}, trial ${trial}: ${event}, ${words}`);
  return { outcome: event, words };
}

const counted: Record<string, unknown> = {};
let wrong = 0;
try {
  for (const each of cases) {
    const outcomes: Awaited<ReturnType<typeof judged>>[] = [];
    for (let trial = 0; trial < trials; trial++) {
      outcomes.push(await judged(each, trial));
      process.stderr.write(`${each.name}: ${outcomes.length} of ${trials}, ${outcomes.at(-1)!.outcome}\n`);
    }
    const committed = outcomes.filter(({ outcome }) => outcome === 'committed').length;
    const { must } = each;
    if (must !== undefined) wrong += must === 'committed' ? trials - committed : committed;
    counted[each.name] = { must, committed, rolledBack: trials - committed, outcomes };
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const made = { date: new Date().toISOString(), node: process.version, cpu: cpus()[0]?.model };
if (out !== undefined) writeDurably(out, `${JSON.stringify({ ...made, trials, cases: counted }, null, 2)}\n`);
process.stderr.write(
  `${wrong} of ${trials * cases.filter(({ must }) => must).length} came out otherwise than they must\n`,
);
process.exit(wrong === 0 ? 0 : 1);
