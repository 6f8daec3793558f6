import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TransitionRecord } from '@sim2servo/models/transition';
import t from 'tap';
import { createLogFile } from '../../src/log-file.js';
import { LogWriter } from '../../src/log-writer.js';
import { recordedMotion } from '../../src/teleop/recorded-motion.js';
import { createTickRecord, recordSizes } from '../../src/tick-record.js';
import { robot } from '../support/arm-fixture.js';

const folder = t.testdir({});
let logs = 0;

/** A log of three episodes of four ticks, the first one the lead-in. */
function log(change: (record: TransitionRecord) => void = () => {}, header: object = {}): string {
  const path = join(folder, `${++logs}.mcap`);
  const metadata = { robot: 'desk2', specSha256: robot.specSha256, task: 'reach', controlRateHz: 50, ...header };
  const writer = new LogWriter(
    createLogFile(path),
    new Map(Object.entries(metadata).map(([key, value]) => [key, String(value)])),
  );
  for (let i = 0; i < 12; i++) {
    const record: TransitionRecord = { ...createTickRecord(recordSizes(robot.spec)), policyDigest: '' };
    Object.assign(record, { timeS: i / 50, episode: Math.floor(i / 4), step: i % 4 });
    record.position = [i / 100, 1];
    record.target = [i / 100 + 0.5, 1.1];
    record.goal = [0.1, 0, Math.floor(i / 4)];
    change(record);
    writer.add(record);
  }
  writer.finish();
  return path;
}

t.test('all episodes but the lead-in, with their targets, positions and goals', async t => {
  const motion = recordedMotion(log(), robot);
  t.match(motion, { task: 'reach', controlRateHz: 50 });
  t.same(
    motion.episodes.map(({ episode, goal, steps }) => [episode, [...goal], steps.map(({ step }) => step)]),
    [
      [1, [0.1, 0, 1], [0, 1, 2, 3]],
      [2, [0.1, 0, 2], [0, 1, 2, 3]],
    ],
  );
  const [first] = motion.episodes[0]!.steps;
  t.same([...first!.position], [0.04, 1]);
  t.same([...first!.target], [0.54, 1.1]);
});

t.test('one episode, the lead-in included where it is asked for', async t => {
  for (const episode of [0, 2])
    t.same(
      recordedMotion(log(), robot, episode).episodes.map(found => found.episode),
      [episode],
    );
  t.throws(() => recordedMotion(log(), robot, 7), {
    code: 'E_LOG_EPISODE',
    message: /no episode 7/,
    hint: /2, from 1 to 2/,
  });
  const leadIn = log(record => {
    record.episode = 0;
  });
  t.throws(() => recordedMotion(leadIn, robot), { code: 'E_LOG_EPISODE', hint: /nothing was pursued/ });
});

t.test("another robot's log, and one of the same name with another spec", async t => {
  const foreign = log(() => {}, { robot: 'so101', specSha256: 'c'.repeat(64) });
  t.throws(() => recordedMotion(foreign, robot), {
    code: 'E_LOG_ROBOT',
    exit: 'usage',
    message: /is of so101 \(spec cccccccccccc…\), and this is desk2/,
  });
  const retuned = log(() => {}, { specSha256: 'd'.repeat(64) });
  t.throws(() => recordedMotion(retuned, robot), { code: 'E_LOG_ROBOT', message: /another desk2/ });
});

t.test('a log that was cut off says how to mend it; what is no log says so', async t => {
  const path = log();
  const cut = join(folder, 'cut.mcap');
  writeFileSync(cut, readFileSync(path).subarray(0, -200));
  t.throws(() => recordedMotion(cut, robot), { code: 'E_LOG_CUT', hint: `mend it with kit logs recover ${cut}` });
  const text = join(folder, 'text.mcap');
  writeFileSync(text, 'buy milk\n');
  t.throws(() => recordedMotion(text, robot), { code: 'E_LOG_FORMAT' });
  t.throws(() => recordedMotion(join(folder, 'none.mcap'), robot), { code: 'E_LOG_READ' });
});

t.test('a target that is no number is found before anything moves', async t => {
  const path = log(record => {
    if (record.episode === 1 && record.step === 2) record.target = [0.1, Number.NaN];
  });
  t.throws(() => recordedMotion(path, robot), {
    code: 'E_LOG_VALUE',
    message: /record 7 .* has NaN as the target of 'elbow'/,
  });
  t.equal(recordedMotion(path, robot, 2).episodes.length, 1, 'another episode can be had');
});

t.test('records of another shape', async t => {
  const path = log(record => {
    record.target = [0.1];
  });
  t.throws(() => recordedMotion(path, robot), { code: 'E_LOG_SHAPE', message: /record 5 .* has 1 targets/ });
});
