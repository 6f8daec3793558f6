import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createControlState, resetControlState } from '@sim2servo/models/control-state';
import { fingertip } from '@sim2servo/models/kinematics';
import { observationNames, observe } from '@sim2servo/models/observe';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import type { TransitionRecord } from '@sim2servo/models/transition';
import t from 'tap';
import { readLog } from '../../src/log-reader.js';
import { logInfo } from '../../src/logs.js';
import { type ArmReport, runArm } from '../../src/run-arm.js';
import { checkDemonstrable, endedEpisodes, writeDemonstrations } from '../../src/teleop/demonstrations.js';
import { Takes } from '../../src/teleop/takes.js';
import { targetPolicy } from '../../src/teleop/target-policy.js';
import { robot, task } from '../support/arm-fixture.js';
import { VirtualBoard, VirtualClock } from '../support/virtual-board.js';

const folder = t.testdir({});
const { spec } = robot;

function recordsOf(path: string): TransitionRecord[] {
  const records: TransitionRecord[] = [];
  readLog(path, { record: record => records.push(record) });
  return records;
}

/** Two kept episodes with one thrown away between them, swung by hand. */
async function record(logPath: string): Promise<{ report: ArmReport; takes: Takes }> {
  const clock = new VirtualClock();
  const board = new VirtualBoard(clock, { position: [0.3, 1.4] });
  const takes = new Takes({ episodes: 2, ticksEach: 40, resetTicks: 10, ready: () => true });
  let tick = 0;
  const policy = targetPolicy(spec, 50, {
    aim(state, _dtS, targets) {
      if (tick++ === 130) takes.discard();
      for (const j of [0, 1]) targets[j] = state.target[j]! + 0.02 * Math.cos(tick / 12);
    },
    words: () => '',
  });
  const report = await runArm({
    robot,
    link: { open: async () => board, close: async () => {} },
    clock,
    task,
    controlRateHz: 50,
    policy,
    goals: takes,
    drivenBy: { policyDigest: '', drivenBy: 'keyboard' },
    logPath,
    virtualTime: true,
  });
  return { report, takes };
}

t.test('the log of a recording holds what was kept, with the goal that each episode ended at', async t => {
  const raw = join(folder, 'a.mcap.raw');
  const out = join(folder, 'a.mcap');
  const { report, takes } = await record(raw);
  t.equal(takes.thrownAway, 1);
  const kept = takes.keptOf(report.targets).map(({ episode }) => episode);
  t.same(writeDemonstrations(raw, out, spec, kept), { path: out, episodes: 2, records: 80 });
  const info = logInfo(out);
  t.ok(info.complete);
  t.match(info.header, { robot: 'desk2', drivenBy: 'keyboard', policyDigest: '', goals: /fingertip/ });
  t.equal(info.missing, 0);

  const before = recordsOf(raw);
  const after = recordsOf(out);
  t.same([...new Set(after.map(({ episode }) => episode))], [1, 2], 'numbered anew');
  const names = observationNames(spec);
  for (const [i, number] of kept.entries()) {
    const old = before.filter(({ episode }) => episode === number);
    const found = after.filter(({ episode }) => episode === i + 1);
    const goal = new Float64Array(3);
    fingertip(spec, old.at(-1)!.position, goal);
    for (const [k, record] of found.entries()) {
      const { episode: _, goal: __, observation: ___, ...rest } = record;
      t.match(old[k], rest, 'everything but the goal is what was recorded');
      t.same(record.goal, [...goal]);
      t.equal(record.truncated, k === found.length - 1);
      for (const [n, name] of names.entries())
        if (!name.startsWith('goal')) t.equal(record.observation[n], old[k]!.observation[n], name);
    }
    t.ok(task.errorM(spec, found.at(-1)!.position, found.at(-1)!.goal) < 1e-12, 'the last tick is at its goal');
  }
});

t.test('an observation is what the policy would have seen had it known the goal', async t => {
  const raw = join(folder, 'b.mcap.raw');
  const out = join(folder, 'b.mcap');
  const { report, takes } = await record(raw);
  writeDemonstrations(
    raw,
    out,
    spec,
    takes.keptOf(report.targets).map(({ episode }) => episode),
  );
  const [first, second] = recordsOf(out);
  const state = createControlState(spec);
  resetControlState(state, second!.position);
  state.velocity.set(second!.velocity);
  state.target.set(first!.target);
  state.goal.set(second!.goal);
  const seen = new Float32Array(second!.observation.length);
  observe(spec, state, seen);
  for (const [n, name] of observationNames(spec).entries())
    if (!name.startsWith('actions')) t.equal(second!.observation[n], seen[n], name);
});

t.test('of a recording that was killed the episodes that came to their end are found', async t => {
  const raw = join(folder, 'c.mcap.raw');
  const { report, takes } = await record(raw);
  t.same(
    endedEpisodes(raw),
    takes.keptOf(report.targets).map(({ episode }) => episode),
  );
});

t.test('nothing is written over, nothing half written stays', async t => {
  const raw = join(folder, 'a.mcap.raw');
  t.throws(() => writeDemonstrations(raw, join(raw, 'x.mcap'), spec, [2]), { code: 'E_LOG_WRITE' });
  t.throws(() => writeDemonstrations(join(folder, 'absent'), join(folder, 'x.mcap'), spec, [2]), {
    code: 'E_LOG_READ',
  });
  t.notOk(existsSync(join(folder, 'x.mcap')));
});

t.test('a task whose goal moves has no demonstrations', async t => {
  t.throws(() => checkDemonstrable(taskNamed('track')), { code: 'E_RECORD_TASK', exit: 'usage' });
  checkDemonstrable(taskNamed('reach'));
  checkDemonstrable(taskNamed('hold'));
});
