import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import type { TransitionRecord } from '@sim2servo/models/transition';
import t from 'tap';
import { importLogs, logFiles, readLog, replayOf } from '../../src/replay/log-import.js';
import { writeLog } from '../environments/write-log.js';

const { spec } = loadRobot('desk2');
const task = taskNamed('reach');

function record(episode: number, step: number, change: Partial<TransitionRecord> = {}): TransitionRecord {
  const mark = episode * 100 + step;
  return {
    timeS: mark / 50,
    episode,
    step,
    observation: Float32Array.from({ length: 21 }, () => mark),
    actionRequested: Float32Array.of(1, 1),
    actionExecuted: Float32Array.of(0.5, -0.25),
    position: Float64Array.of(0.01 * step, 1),
    velocity: Float64Array.of(0, 0),
    target: Float64Array.of(0, 1),
    goal: Float64Array.of(0.1, 0.1, 0.06),
    limiters: 0,
    late: false,
    stale: false,
    terminated: false,
    truncated: false,
    policyDigest: 'abc',
    ...change,
  };
}

t.test(
  'records of one episode that follow each other become transitions; nothing reaches across an end or a gap',
  t => {
    const log = [
      record(0, 0),
      record(0, 1),
      record(0, 2, { truncated: true }),
      record(1, 0),
      record(1, 1),
      record(1, 3),
      record(1, 4),
    ];
    const { replay, transitions, episodes, skipped } = replayOf([log], spec, task);
    t.equal(transitions, 4);
    t.equal(episodes, 2);
    t.strictSame(skipped, { gap: 1, stale: 0, late: 0 });
    const pairs = Array.from({ length: 4 }, (_, row) => [
      replay.observation[row * 21],
      replay.nextObservation[row * 21],
    ]);
    t.strictSame(pairs, [
      [0, 1],
      [1, 2],
      [100, 101],
      [103, 104],
    ]);
    t.end();
  },
);

t.test('two logs are not joined, though one ends and the other begins with the same episode number', t => {
  const { transitions } = replayOf(
    [
      [record(0, 0), record(0, 1)],
      [record(0, 2), record(0, 3)],
    ],
    spec,
    task,
  );
  t.equal(transitions, 2);
  t.end();
});

t.test('rewards are the task’s own, of measured positions; actions are the executed ones', t => {
  const [before, after] = [record(0, 0), record(0, 1)];
  const { replay } = replayOf([[before, after]], spec, task);
  t.equal(replay.reward[0], Math.fround(task.reward(spec, before, before.actionExecuted, after, before.goal)));
  t.strictSame([...replay.action.subarray(0, 2)], [0.5, -0.25]);
  const closer = { ...task, reward: () => 42 };
  t.equal(replayOf([[before, after]], spec, closer).replay.reward[0], 42, 'a log can be relabelled');
  t.end();
});

t.test('what was taken from a stale sample is left out and counted', t => {
  const { transitions, skipped } = replayOf(
    [[record(0, 0), record(0, 1, { stale: true }), record(0, 2), record(0, 3)]],
    spec,
    task,
  );
  t.equal(transitions, 1);
  t.strictSame(skipped, { gap: 0, stale: 2, late: 0 });
  t.end();
});

t.test('an action that was sent late is left out: the next record does not show what it did', t => {
  const { transitions, skipped } = replayOf(
    [[record(0, 0, { late: true }), record(0, 1), record(0, 2, { late: true })]],
    spec,
    task,
  );
  t.equal(transitions, 1);
  t.strictSame(skipped, { gap: 0, stale: 0, late: 1 });
  t.end();
});

t.test('a log of another robot is refused', t => {
  t.throws(() => replayOf([[record(0, 0, { observation: [1, 2, 3] }), record(0, 1)]], spec, task), {
    code: 'E_LOG_SHAPE',
    message: /3 observations/,
  });
  t.end();
});

t.test('a log written as MCAP reads back, with the digest of its file', async t => {
  const folder = t.testdir({});
  const path = join(folder, 'b.mcap');
  const records = [record(3, 0), record(3, 1), record(3, 2)];
  await writeLog(path, records);
  await writeLog(join(folder, 'a.mcap'), [record(9, 0), record(9, 1)]);
  writeFileSync(join(folder, 'notes.txt'), 'not a log');
  t.strictSame(logFiles(folder), [join(folder, 'a.mcap'), path]);
  t.strictSame(
    readLog(path).records.map(({ episode, step, policyDigest }) => [episode, step, policyDigest]),
    [
      [3, 0, 'abc'],
      [3, 1, 'abc'],
      [3, 2, 'abc'],
    ],
  );
  const imported = importLogs(logFiles(folder), spec, task);
  t.equal(imported.transitions, 3);
  t.equal(imported.sha256.length, 2);
  t.match(imported.sha256[0], /^[0-9a-f]{64}$/);
});

t.test('absent, empty, damaged and cut-off logs each say what they are', async t => {
  const folder = t.testdir({ empty: {} });
  t.throws(() => logFiles(join(folder, 'absent')), { code: 'E_LOGS' });
  t.throws(() => logFiles(join(folder, 'empty')), { code: 'E_LOGS', message: /no \.mcap/ });
  writeFileSync(join(folder, 'foreign.mcap'), 'hello, I am no log at all');
  t.throws(() => readLog(join(folder, 'foreign.mcap')), { code: 'E_LOG_DAMAGED' });
  const single = join(folder, 'single.mcap');
  await writeLog(single, [record(0, 0)]);
  t.throws(() => importLogs([single], spec, task), { code: 'E_LOGS_EMPTY' });
  const cut = join(folder, 'cut.mcap');
  await writeLog(cut, [record(0, 0), record(0, 1), record(0, 2)]);
  truncateSync(cut, readFileSync(cut).length - 20);
  t.equal(readLog(cut).records.length, 3, 'a missing footer costs no record');
});
