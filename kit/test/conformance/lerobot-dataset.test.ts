/** LeRobot, datasets and pyarrow read what we write, and we what LeRobot writes. `npm run conformance`; KIT_PYTHON names their Python. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kitPython, lacks } from '@sim2servo/hil-tests/test-support/foreign-python';
import t from 'tap';
import { logOf, ticksPerEpisode, writeLog, writtenRecord } from '../lerobot/written-log.js';
import { kit } from '../test-io.js';

const folder = t.testdir({});
const at = (...parts: string[]) => join(folder, ...parts);

function program(name: string, dataset: string): string {
  const scratch = at(`${name}-scratch`);
  mkdirSync(scratch);
  const path = fileURLToPath(new URL(`../../../test/conformance/${name}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(kitPython!, [path, dataset, scratch], {
    encoding: 'utf8',
    cwd: folder,
  });
  if (status !== 0) throw new Error(`${name} ended with ${status}:\n${stderr}`);
  return stdout;
}

const lacking = lacks('lerobot.datasets.lerobot_dataset');
if (lacking !== false) t.comment(`left out: ${lacking}`);

if (lacking === false) {
  t.test('a dataset of ours is opened, batched and edited by LeRobot, and read by datasets and pyarrow', async t => {
    writeLog(at('ours.mcap'), 'so101', 35);
    const made = await kit(`logs convert ${at('ours.mcap')} --to lerobot --out ${at('ours')}`);
    t.equal(made.exit, 0, made.err);
    const said = JSON.parse(program('open_dataset.py', at('ours')).trim().split('\n').at(-1)!);
    const last = writtenRecord('so101', 34);
    t.match(said, {
      arrow_rows: 35,
      plain_rows: 35,
      fps: 50,
      robot: 'so101',
      episodes: 5,
      frames: 35,
      task: 'reach',
      digest: last.policyDigest,
      done: true,
      window: [4, 3, 6],
      padded: [
        [true, true, false],
        [true, false, false],
        [false, false, false],
        [false, false, false],
      ],
      quantiles: ['q01', 'q10', 'q50', 'q90', 'q99'],
      edited: [4, 25],
    });
    // The logged record is no input of a policy, nor is what was asked for a second action.
    t.strictSame(said.policy, {
      'observation.state': 'STATE',
      'observation.velocity': 'STATE',
      'observation.environment_state': 'ENV',
      action: 'ACTION',
    });
    t.equal(said.names[0], 'shoulder_pan.pos');
    t.match(said.plain_types['transition.time_s'], /float64/);
    t.strictSame(said.position, last.position, 'to the last bit');
    t.ok(Math.abs(said.action[0] - (last.target[0]! * 180) / Math.PI) < 1e-4);
    for (const [name, apart] of Object.entries<number>(said.apart)) t.ok(apart < 1e-4, `${name} is ${apart} off`);
  });

  t.test("what LeRobot's tool left of it comes back as a log", async t => {
    const edited = at('open_dataset.py-scratch', 'edited');
    const back = await kit(`logs convert ${edited} --to mcap --robot so101 --out ${at('edited.mcap')}`);
    t.equal(back.exit, 0, back.err);
    const { header, records } = logOf(at('edited.mcap'));
    t.match(header, { robot: 'so101', task: 'reach', controlRateHz: '50' });
    t.strictSame(
      records,
      Array.from({ length: 25 }, (_, i) => writtenRecord('so101', ticksPerEpisode + i)),
    );
  });

  t.test('a dataset that LeRobot recorded becomes a log', async t => {
    program('record_dataset.py', at('recorded'));
    const made = await kit(
      `logs convert ${at('recorded')} --to mcap --robot so101 --units degrees --out ${at('recorded.mcap')}`,
    );
    t.match(made, { exit: 0, out: /^60 transitions in 3 episodes/ }, made.err);
    const { header, records } = logOf(at('recorded.mcap'));
    t.match(header, { task: 'wave', controlRateHz: '30' });
    const degrees = Array.from(records[25]!.position, rad => (rad * 180) / Math.PI);
    t.ok([15, -20, 30, 5, 0].every((value, j) => Math.abs(degrees[j]! - value) < 1e-4));
  });
}

t.test('what is left out is named', async t => {
  t.match(lacks('a_module_that_nobody_has'), /KIT_PYTHON|a_module_that_nobody_has/);
});
