/** Datasets as LeRobot records them, written by hand; kit/test/conformance has LeRobot itself record one. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fingertip } from '@sim2servo/models/kinematics';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { importLogs } from '@sim2servo/train/replay/log-import';
import t from 'tap';
import { ParquetTable } from '../../src/lerobot/parquet-table.js';
import { errorOf, kit } from '../test-io.js';
import { logOf } from './written-log.js';

const { spec, specSha256 } = loadRobot('so101');
const folder = t.testdir({});
const motors = ['shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper'];
const fps = 30;

interface Written {
  readonly state?: (row: number) => number[];
  readonly timestamp?: (frame: number) => number;
  readonly names?: unknown;
  readonly version?: string;
}

/** Two episodes of four and three frames. */
function writeDataset(name: string, { state, timestamp, names, version }: Written = {}): string {
  const path = join(folder, name);
  const file = (...parts: string[]) => {
    const whole = join(path, ...parts);
    mkdirSync(dirname(whole), { recursive: true });
    return whole;
  };
  const float = { dtype: 'float32', list: true } as const;
  const whole = { dtype: 'int64', list: false } as const;
  const data = new ParquetTable(file('data', 'chunk-000', 'file-000.parquet'), [
    { name: 'observation.state', ...float },
    { name: 'action', ...float },
    { name: 'timestamp', dtype: 'float32', list: false },
    { name: 'frame_index', ...whole },
    { name: 'episode_index', ...whole },
    { name: 'index', ...whole },
    { name: 'task_index', ...whole },
  ]);
  for (let row = 0; row < 7; row++) {
    const frame = row % 4;
    const values = state?.(row) ?? [row, 0, 0, 0, 0, 50];
    data.add([values, values.map(value => value + 2), timestamp?.(frame) ?? frame / fps, frame, row >> 2, row, 0]);
  }
  data.finish();
  const tasks = new ParquetTable(file('meta', 'tasks.parquet'), [
    { name: 'task_index', ...whole },
    { name: 'task', dtype: 'string', list: false },
  ]);
  tasks.add([0, 'fetch the block']);
  tasks.finish();
  const vector = { dtype: 'float32', shape: [6], names: names ?? motors.map(motor => `${motor}.pos`) };
  writeFileSync(
    file('meta', 'info.json'),
    JSON.stringify({
      codebase_version: version ?? 'v3.0',
      robot_type: 'so101_follower',
      total_episodes: 2,
      total_frames: 7,
      fps,
      features: {
        'observation.state': vector,
        action: vector,
        'observation.images.front': { dtype: 'video', shape: [480, 640, 3], names: ['height', 'width', 'channels'] },
      },
    }),
  );
  return path;
}

let outs = 0;
async function convert(dataset: string, flags = '--robot so101 --units degrees') {
  const out = join(folder, `${outs++}.mcap`);
  const said = await kit(`logs convert ${dataset} --to mcap --out ${out} ${flags}`);
  return { out, said };
}
async function refused(dataset: string, flags?: string) {
  const { said } = await convert(dataset, `${flags ?? '--robot so101 --units degrees'} --json`);
  t.ok(said.exit === 2, `exit ${said.exit}`);
  return errorOf(said);
}
const near = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).every((x, i) => Math.abs(x - b[i]!) < 1e-5);
const rad = Math.PI / 180;
const half = 1.85 / 2 - 0.15;

t.test('positions and actions become radians; the rest follows from them', async t => {
  const { out, said } = await convert(writeDataset('degrees'));
  t.match(said, {
    exit: 0,
    out: /^7 transitions in 2 episodes[\s\S]*made of demonstrations[\s\S]*left out: observation\.images\.front/,
  });
  const { header, records } = logOf(out);
  t.same(header, { robot: 'so101', specSha256, policyDigest: '', task: 'fetch the block', controlRateHz: '30' });
  t.equal(records.length, 7);
  const record = records[2]!;
  t.match(record, { episode: 0, step: 2, limiters: 0, late: false, stale: false, terminated: false, truncated: false });
  t.ok(near(record.position, [2 * rad, 0, 0, 0, 0, half]));
  t.ok(near(record.target, [4 * rad, 2 * rad, 2 * rad, 2 * rad, 2 * rad, half + 0.037]));
  t.same(
    records.map(({ truncated }) => truncated),
    [false, false, false, true, false, false, true],
  );
  const end = new Float64Array(3);
  fingertip(spec, records[3]!.position, end);
  t.ok(
    records.slice(0, 4).every(({ goal }) => near(goal, end)),
    'the goal is where the fingertip ended',
  );
  // The runtime's estimate: a first-order low-pass of the difference, 20 ms.
  const weight = 1 / fps / (1 / fps + 0.02);
  t.equal(records[0]!.velocity[0], 0);
  t.ok(Math.abs(records[1]!.velocity[0]! - weight * rad * fps) < 1e-5);
  t.equal(records[4]!.velocity[0], 0, 'nothing reaches across the end of an episode');
  // A target moved by 1° from the one before.
  const fullRadS = spec.action.scale * spec.joints[0]!.maxVelocity;
  t.ok(Math.abs(record.actionExecuted[0]! - (rad * fps) / fullRadS) < 1e-5);
  t.same(record.actionRequested, record.actionExecuted);
  t.ok(Math.abs(record.observation[0]! - (2 * rad) / 1.9) < 1e-5, 'the observation is that of the robot');
});

t.test('a demonstration can be learnt from like any log', async t => {
  const { out } = await convert(writeDataset('lesson'));
  const { transitions, episodes, skipped } = importLogs([out], spec, taskNamed('reach'));
  t.strictSame(
    { transitions, episodes, skipped },
    { transitions: 5, episodes: 2, skipped: { gap: 0, stale: 0, late: 0 } },
  );
});

t.test('normalised positions are shares of the range', async t => {
  const { out } = await convert(writeDataset('normalised'), '--robot so101 --units normalised');
  t.ok(near(logOf(out).records[5]!.position, [0.05 * 1.9, 0, 0, 0, 0, half]));
});

t.test('the names may stand in another order, or without their ending', async t => {
  const reversed = [...motors].reverse();
  const { out, said } = await convert(
    writeDataset('reversed', { state: row => [50, 0, 0, 0, 0, row], names: { motors: reversed } }),
  );
  t.equal(said.exit, 0, said.err);
  t.ok(near(logOf(out).records[6]!.position, [6 * rad, 0, 0, 0, 0, half]));
});

t.test('targets beyond the range are kept, counted and told', async t => {
  const { said } = await convert(writeDataset('far', { state: () => [150, 0, 0, 0, 0, 50] }));
  t.match(said, { exit: 0, out: /7 targets lie outside the range of a joint: is --units right\?/ });
});

t.test('what a dataset does not say must be said', async t => {
  const path = writeDataset('silent');
  t.match(await refused(path, '--units degrees'), { code: 'E_DATASET_ROBOT', message: /so101_follower/ });
  t.match(await refused(path, '--robot so101'), { code: 'E_DATASET_UNITS', hint: /degrees\|normalised/ });
});

t.test('a dataset of another arm is refused', async t => {
  t.match(await refused(writeDataset('other', { names: ['a.pos', 'b.pos'] })), {
    code: 'E_DATASET_JOINTS',
    message: /observation\.state has no 'shoulder_pan\.pos', .* it has a\.pos, b\.pos/,
  });
  t.match(await refused(writeDataset('nameless', { names: {} })), {
    code: 'E_DATASET_JOINTS',
    message: /names nothing/,
  });
});

t.test('what is no number is refused, with its row', async t => {
  const path = writeDataset('nan', { state: row => [row === 5 ? Number.NaN : 0, 0, 0, 0, 0, 0] });
  t.match(await refused(path), { code: 'E_DATASET_NUMBER', message: /row 5: observation\.state is \[NaN, 0/ });
});

t.test('frames that do not follow each other at fps are refused, with their row', async t => {
  const path = writeDataset('uneven', { timestamp: frame => (frame === 2 ? 0.1 : frame / fps) });
  t.match(await refused(path), { code: 'E_DATASET_RATE', message: /row 2: frame 2 of episode 0 at 0\.1/ });
});

t.test('what a later version 3 adds is passed over', async t => {
  t.equal((await convert(writeDataset('later', { version: 'v3.1' }))).said.exit, 0);
});

t.test('another version, and what is no dataset, is refused', async t => {
  t.match(await refused(writeDataset('old', { version: 'v2.1' })), {
    code: 'E_DATASET_VERSION',
    message: /v2\.1, not v3\.0/,
    hint: /convert_dataset_v21_to_v30/,
  });
  t.match(await refused(folder), { code: 'E_DATASET_READ', message: /info\.json does not exist/ });
  const empty = writeDataset('empty');
  rmSync(join(empty, 'data', 'chunk-000', 'file-000.parquet'));
  t.match(await refused(empty), { code: 'E_DATASET_READ', message: /no \.parquet file/ });
  const { said } = await convert(writeSpoilt(), '--robot so101 --units degrees --json');
  t.match(errorOf(said), { code: 'E_DATASET_READ', message: /can't read .*file-000\.parquet/ });
});

function writeSpoilt(): string {
  const path = writeDataset('spoilt');
  const file = join(path, 'data', 'chunk-000', 'file-000.parquet');
  writeFileSync(file, readFileSync(file).subarray(0, 500));
  return path;
}
