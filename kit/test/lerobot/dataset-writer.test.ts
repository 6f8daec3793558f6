import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { datasetToLog } from '../../src/lerobot/dataset-to-log.js';
import { DatasetWriter } from '../../src/lerobot/dataset-writer.js';
import { tableRows } from '../../src/lerobot/parquet-table.js';
import { headerOf, logOf, ticksPerEpisode, writtenRecord } from './written-log.js';

const folder = t.testdir({});
const at = (...parts: string[]) => join(folder, ...parts);
const { spec } = loadRobot('desk2');
const record = (i: number) => writtenRecord('desk2', i);

t.test('what is large is spread over files, each with whole episodes', async t => {
  const writer = new DatasetWriter(at('large'), spec, headerOf('desk2'), record(0), 0.1);
  // Rows reach the file a group of 8192 at a time: so do three episodes of 10 000 make three files.
  const records = Array.from({ length: 30_000 }, (_, i) => ({
    ...record(i % (2 * ticksPerEpisode)),
    episode: Math.floor(i / 10_000),
    step: i % 10_000,
  }));
  for (const [i, each] of records.entries()) writer.add(each, i % 10_000 !== 0);
  writer.finish();
  t.same(readdirSync(at('large', 'data', 'chunk-000')), ['file-000.parquet', 'file-001.parquet', 'file-002.parquet']);
  const episodes = [];
  for await (const row of tableRows(at('large', 'meta', 'episodes', 'chunk-000', 'file-000.parquet'), () => true))
    episodes.push([row['data/file_index'], row.dataset_from_index, row.dataset_to_index]);
  t.same(episodes, [
    [0, 0, 10_000],
    [1, 10_000, 20_000],
    [2, 20_000, 30_000],
  ]);
  t.equal((await datasetToLog(at('large'), at('large.mcap'))).records, 30_000);
  const back = logOf(at('large.mcap')).records;
  t.strictSame(back[9_999], records[9_999]);
  t.strictSame(back[20_001], records[20_001]);
});

t.test('the rewards of a task that is not ours are not known', async t => {
  const writer = new DatasetWriter(at('foreign'), spec, { ...headerOf('desk2'), task: 'wave' }, record(0));
  writer.add(record(0), false);
  writer.finish();
  const { features } = JSON.parse(readFileSync(at('foreign', 'meta', 'info.json'), 'utf8'));
  t.notOk('next.reward' in features);
  t.ok('next.done' in features);
});

t.test('an arm of one joint has numbers, not lists of one', async t => {
  const single = { ...spec, joints: spec.joints.slice(0, 1) };
  const one = {
    ...record(1),
    position: [0.5],
    velocity: [0.25],
    target: [0.75],
    actionRequested: [1],
    actionExecuted: [1],
  };
  const writer = new DatasetWriter(at('single'), single, { ...headerOf('desk2'), task: 'wave' }, one);
  writer.add(one, false);
  writer.finish();
  for await (const row of tableRows(at('single', 'data', 'chunk-000', 'file-000.parquet'), () => true))
    t.match(row, { 'transition.position': 0.5, 'transition.target': 0.75, action: Number });
});

t.test('what no policy could be normalised by is refused, with its record', async t => {
  const writer = new DatasetWriter(at('wrong'), spec, headerOf('desk2'), record(0));
  writer.add(record(0), false);
  t.throws(() => writer.add({ ...record(1), observation: [1] }, true), {
    code: 'E_DATASET_SHAPE',
    message: /record 1 has 1 numbers in observation/,
  });
  writer.add({ ...record(1), position: [Number.NaN, 0] }, false);
  t.throws(() => writer.add(record(2), false), {
    code: 'E_DATASET_NUMBER',
    message: /record 1 \(episode 3, step 1\) has NaN in observation\.state/,
  });
});
