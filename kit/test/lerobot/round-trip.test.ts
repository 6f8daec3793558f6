import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import t from 'tap';
import { datasetToLog } from '../../src/lerobot/dataset-to-log.js';
import { logsToDataset } from '../../src/lerobot/logs-to-dataset.js';
import { type TableRow, tableRows } from '../../src/lerobot/parquet-table.js';
import { errorOf, kit } from '../test-io.js';
import { headerOf, logOf, writeLog, writtenRecord } from './written-log.js';

const folder = t.testdir({});
const at = (...parts: string[]) => join(folder, ...parts);
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
async function rowsOf(path: string): Promise<TableRow[]> {
  const rows: TableRow[] = [];
  for await (const row of tableRows(path, () => true)) rows.push(row);
  return rows;
}
const convert = (line: string) => kit(`logs convert ${line}`);

writeLog(at('so101.mcap'), 'so101', 35);
const data = (dataset: string) => at(dataset, 'data', 'chunk-000', 'file-000.parquet');

t.test('a log becomes a dataset, and comes back bit for bit', async t => {
  for (const robot of ['so101', 'koch', 'desk2']) {
    const log = at(`${robot}.mcap`);
    if (!existsSync(log)) writeLog(log, robot, 35);
    const there = await convert(`${log} --to lerobot --out ${at(robot)}`);
    t.match(there, { exit: 0, out: /35 transitions in 5 episodes[\s\S]*gaps where ticks were lost: 1;/ }, there.err);
    const back = await convert(`${at(robot)} --to mcap --out ${at(`${robot}-back.mcap`)}`);
    t.match(back, { exit: 0, out: /^35 transitions in 4 episodes written/ }, back.err);
    const was = logOf(log);
    const is = logOf(at(`${robot}-back.mcap`));
    t.strictSame(is.header, was.header);
    t.equal(is.records.length, 35);
    // As JSON −0 is 0 and NaN is null; strictSame tells them apart.
    t.strictSame(is.records, was.records);
    t.ok(Object.is(is.records[5]!.velocity[0], -0) && Number.isNaN(is.records[4]!.actionRequested[0]));
  }
});

t.test("the frames have LeRobot's columns, names and units", async t => {
  const info = json(at('so101', 'meta', 'info.json'));
  t.match(info, {
    codebase_version: 'v3.0',
    robot_type: 'so101',
    total_episodes: 5,
    total_frames: 35,
    total_tasks: 1,
    chunks_size: 1000,
    fps: 50,
    splits: { train: '0:5' },
    data_path: 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet',
    video_path: null,
    features: {
      'observation.state': { dtype: 'float32', shape: [6] },
      action: { dtype: 'float32', shape: [6] },
      'next.done': { dtype: 'bool', shape: [1], names: null },
      timestamp: { dtype: 'float32', shape: [1], names: null },
      index: { dtype: 'int64', shape: [1] },
      'transition.position': { dtype: 'float64', shape: [6] },
      'transition.policy_digest': { dtype: 'string', shape: [1] },
    },
  });
  t.same(info.features.action.names, info.features['observation.state'].names);
  t.equal(info.features.action.names[0], 'shoulder_pan.pos');
  const rows = await rowsOf(data('so101'));
  t.same(Object.keys(rows[0]!), Object.keys(info.features), 'the file has what the metadata say, in their order');
  const record = writtenRecord('so101', 12);
  const row = rows[12]!;
  const degrees = (rad: number) => Math.fround((rad * 180) / Math.PI);
  t.ok(Math.abs((row['observation.state'] as number[])[0]! - degrees(record.position[0]!)) < 1e-5);
  t.ok(Math.abs((row['observation.velocity'] as number[])[1]! - degrees(record.velocity[1]!)) < 1e-5);
  t.ok(Math.abs((row.action as number[])[2]! - degrees(record.target[2]!)) < 1e-5);
  t.ok(Math.abs((row.action as number[])[5]! - (100 * (record.target[5]! + 0.15)) / 1.85) < 1e-5);
  t.same(row['observation.environment_state'], Array.from(record.goal, Math.fround));
  t.match(row, { index: 12, episode_index: 1, frame_index: 2, task_index: 0, timestamp: Math.fround(2 / 50) });
});

t.test('an episode ends where the log says, and where a tick is missing', async t => {
  const rows = await rowsOf(data('so101'));
  const ends = rows.flatMap((row, i) => (row['next.done'] ? [i] : []));
  t.same(ends, [9, 16, 19, 29, 34]);
  t.same(
    ends.map(i => rows[i]!['next.truncated']),
    [true, true, false, true, true],
    'the one that terminated by itself is not truncated',
  );
  const episodes = await rowsOf(at('so101', 'meta', 'episodes', 'chunk-000', 'file-000.parquet'));
  t.same(
    episodes.map(row => [row.episode_index, row.dataset_from_index, row.dataset_to_index, row.length]),
    [
      [0, 0, 10, 10],
      [1, 10, 17, 7],
      [2, 17, 20, 3],
      [3, 20, 30, 10],
      [4, 30, 35, 5],
    ],
  );
  t.same(episodes[2]!.tasks, ['reach']);
  t.same(episodes[0]!['stats/timestamp/max'], [9 / 50]);
});

t.test("the reward is the task's, of a step to the next frame", async t => {
  const rows = await rowsOf(data('so101'));
  const { spec } = loadRobot('so101');
  const { records } = logOf(at('so101.mcap'));
  const reward = (i: number, next: number) =>
    Math.fround(
      taskNamed('reach').reward(spec, records[i]!, records[i]!.actionExecuted, records[next]!, records[i]!.goal),
    );
  t.equal(rows[3]!['next.reward'], reward(3, 4));
  t.equal(rows[9]!['next.reward'], reward(9, 9), 'the last one of an episode: the arm is taken to stay');
});

t.test('statistics are of all frames', async t => {
  const stats = json(at('so101', 'meta', 'stats.json'));
  const states = (await rowsOf(data('so101'))).map(row => (row['observation.state'] as number[])[0]!);
  t.ok(Math.abs(stats['observation.state'].min[0] - Math.min(...states)) < 1e-5);
  t.ok(Math.abs(stats['observation.state'].mean[0] - states.reduce((a, b) => a + b) / 35) < 1e-5);
  t.same(stats.action.count, [35]);
  t.notOk('transition.position' in stats, 'those are no input of a policy');
});

t.test('several logs of one robot become one dataset, whose episodes go on counting', async t => {
  writeLog(at('more.mcap'), 'so101', 15);
  const said = await convert(`${at('so101.mcap')} ${at('more.mcap')} --to lerobot --out ${at('both')}/`);
  t.match(said, { exit: 0, out: /LeRobotDataset\('local\/both', root=/ }, said.err);
  t.match(await convert(`${at('both')} --to mcap --out ${at('both.mcap')}`), { out: /^50 transitions in 6 episodes/ });
  const { records } = logOf(at('both.mcap'));
  t.equal(records[34]!.episode, 6);
  t.equal(records[35]!.episode, 7);
  t.strictSame({ ...records[40]!, episode: 0 }, { ...logOf(at('more.mcap')).records[5]!, episode: 0 });
});

t.test('logs that do not belong together are refused', async t => {
  const refused = async (robot: string, header: Record<string, string>, pattern: RegExp) => {
    writeLog(at('other.mcap'), robot, 3, header);
    const said = await convert(`${at('so101.mcap')} ${at('other.mcap')} --to lerobot --out ${at('none')} --json`);
    t.equal(said.exit, 2);
    t.match(errorOf(said), { code: 'E_DATASET_LOGS', message: pattern });
    rmSync(at('other.mcap'));
  };
  await refused('koch', headerOf('koch'), /robot koch, .*so101/);
  await refused('so101', { ...headerOf('so101'), specSha256: 'a'.repeat(64) }, /specSha256 aaaa/);
  await refused('so101', { ...headerOf('so101'), controlRateHz: '100' }, /controlRateHz 100, .* 50/);
  t.notOk(existsSync(at('none')));
});

t.test('a log that was cut off gives what its whole chunks hold, and that is said', async t => {
  writeLog(at('cut.mcap'), 'desk2', 30);
  truncateSync(at('cut.mcap'), Math.floor(readFileSync(at('cut.mcap')).length * 0.6));
  const said = await convert(`${at('cut.mcap')} --to lerobot --out ${at('cut')}`);
  t.match(said, { exit: 0, out: /cut\.mcap is cut off: its last \d+ bytes are lost/ });
  t.equal(json(at('cut', 'meta', 'info.json')).total_frames % 10, 0);
});

t.test('nothing is written over, and a failure leaves nothing behind', async t => {
  const existing = await convert(`${at('so101.mcap')} --to lerobot --out ${at('so101')} --json`);
  t.equal(existing.exit, 2);
  t.match(errorOf(existing), { code: 'E_DATASET_EXISTS' });
  t.match(errorOf(await convert(`${at('so101')} --to mcap --out ${at('so101.mcap')} --json`)), {
    code: 'E_LOG_EXISTS',
  });
  t.match(errorOf(await convert(`${at('absent.mcap')} --to lerobot --out ${at('new')} --json`)), {
    code: 'E_LOG_READ',
  });
  writeFileSync(at('text'), 'no log, though long enough to be one');
  t.match(errorOf(await convert(`${at('text')} --to lerobot --out ${at('new')} --json`)), { code: 'E_LOG_FORMAT' });
  t.match(errorOf(await convert(`${at('so101.mcap')} --to lerobot --out ${at('text', 'new')} --json`)), {
    code: 'E_DATASET_WRITE',
  });
  t.match(errorOf(await convert(`${at('so101')} --to mcap --out ${at('text', 'new')} --json`)), {
    code: 'E_LOG_WRITE',
  });
  writeLog(at('nothing.mcap'), 'desk2', 0);
  t.match(errorOf(await convert(`${at('nothing.mcap')} --to lerobot --out ${at('new')} --json`)), {
    code: 'E_DATASET_EMPTY',
  });
  writeLog(at('slow.mcap'), 'desk2', 3, { ...headerOf('desk2'), controlRateHz: '62.5' });
  t.match(errorOf(await convert(`${at('slow.mcap')} --to lerobot --out ${at('new')} --json`)), {
    code: 'E_DATASET_RATE',
    message: /62\.5/,
  });
  t.match(errorOf(await convert(`${at('so101.mcap')} --to lerobot --robot koch --out ${at('new')} --json`)), {
    code: 'E_DATASET_ROBOT',
  });
  t.match(errorOf(await convert(`${at('so101.mcap')} ${at('so101.mcap')} --to csv --out ${at('new')} --json`)), {
    code: 'E_LOGS',
  });
  t.notOk(existsSync(at('new')));
  t.same(
    readdirSync(folder).filter(name => name.endsWith('.part')),
    [],
  );
});

t.test('a dataset that was changed since is taken for what it now is', async t => {
  const to = (flags: string) =>
    convert(`${at('desk2')} --to mcap --out ${at('changed.mcap')} --json ${flags}`.trimEnd());
  const infoPath = at('desk2', 'meta', 'info.json');
  const info = readFileSync(infoPath, 'utf8');
  writeFileSync(infoPath, info.replace('"fps": 50', '"fps": 30'));
  t.match(errorOf(await to('')), { code: 'E_DATASET_RATE', message: /30 frames a second.* 50 ticks/ });
  writeFileSync(infoPath, info);
  t.match(errorOf(await to('--robot koch')), { code: 'E_DATASET_ROBOT', message: /is of a desk2 .* holds a koch/ });
  // LeRobot's tools copy what they know, and our header is not among it.
  rmSync(at('desk2', 'meta', 'sim2servo.json'));
  t.match(errorOf(await to('')), { code: 'E_DATASET_ROBOT', message: /recorded on 'desk2', and nothing says/ });
  t.match(errorOf(await to('--robot koch')), { code: 'E_DATASET_JOINTS', message: /2 joints, koch has 6/ });
  t.notOk(existsSync(at('changed.mcap')));
  t.equal((await to('--robot desk2')).exit, 0);
  t.strictSame(logOf(at('changed.mcap')), logOf(at('desk2.mcap')));
});

t.test('a flag that says nothing is refused', async t => {
  const said = await convert(`${at('so101.mcap')} --to csv --units degrees --out ${at('new')} --json`);
  t.match(errorOf(said), { code: 'E_USAGE', message: '--units says nothing of csv', hint: /--to mcap/ });
  t.match(await convert(`${at('so101.mcap')} --format csv --out ${at('new')}`), { exit: 2, err: /unknown option/ });
});

t.test('interrupted, it leaves nothing behind', async t => {
  writeLog(at('long.mcap'), 'desk2', 10_000);
  const stop = new AbortController();
  const onProgress = () => stop.abort();
  await t.rejects(logsToDataset([at('long.mcap')], at('new'), { onProgress, signal: stop.signal }), {
    code: 'E_INTERRUPTED',
    exit: 'interrupt',
  });
  await logsToDataset([at('long.mcap')], at('long'));
  await t.rejects(datasetToLog(at('long'), at('new'), { onProgress, signal: stop.signal }), { code: 'E_INTERRUPTED' });
  t.same(
    readdirSync(folder).filter(name => name.startsWith('new')),
    [],
  );
});
