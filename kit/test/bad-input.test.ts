import { cpSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runOnRig } from '@sim2servo/hil-tests/rig/run-on-rig';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { heldOutGoals } from '@sim2servo/models/tasks/held-out-goals';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { listedGoals } from '@sim2servo/runtime/goal-source';
import t from 'tap';
import { errorOf, kit, kitProcess } from './test-io.js';

const folder = t.testdir({ robots: {} });
const at = (...parts: string[]) => join(folder, ...parts);

// One short training run is the parent of all that follows: what it has learnt does not matter here.
t.before(async () => {
  const trained = await kit(`train --steps 2064 --out ${at('run')}`);
  if (trained.exit !== 0) throw new Error(`the training run failed: ${trained.err}`);
  const exported = await kit(`export ${at('run')} ${at('bundle')}`);
  if (exported.exit !== 0) throw new Error(`the export failed: ${exported.err}`);
});

t.test('train, export, inspect, eval and deploy say what they made and what comes next', async t => {
  t.match(await kit(`inspect ${at('bundle')}`), { exit: 0, out: /robot {9}desk2/ });
  t.match(await kit(`eval ${at('bundle')} --targets 2`), { exit: 0, out: /of 2 targets reached on the nominal arm/ });
  t.match(await kit(`deploy ${at('bundle')} --to ${at('store')} --robot desk2`), {
    exit: 0,
    out: /next: kit run --robot desk2/,
  });
  t.match(await kit(`train --steps 2064 --out ${at('run')}`), { exit: 2, err: /already holds a run/ });
});

t.test('a run that would be over before its first tick gives no arm torque', async t => {
  const run = `run --robot desk2 --policy ${at('bundle')} --port /dev/ttyNOWHERE --yes --json`;
  for (const [flags, code] of [
    ['--held-out 0', 'E_USAGE'],
    ['--seconds 0.001', 'E_RUN_SHORT'],
  ] as const)
    t.match({ ...(await kit(`${run} ${flags}`)), flags }, { exit: 2, out: new RegExp(code) });
  t.equal(errorOf(await kit(`${run} --seconds 0.02`)).code, 'E_PORT_ABSENT');
});

t.test('a bundle is signed where it is exported, and a key that cannot sign is told before that', async t => {
  process.env.KIT_KEYS = at('keys');
  t.teardown(() => delete process.env.KIT_KEYS);
  t.match(errorOf(await kit(`export ${at('run')} ${at('signed')} --sign desk --json`)), { code: 'E_KEY_UNKNOWN' });
  t.notOk(existsSync(at('signed')), 'nothing was exported');
  t.match(await kit('keys new desk --no-password'), { exit: 0 });
  const exported = await kit(`export ${at('run')} ${at('signed')} --sign desk`);
  t.match(exported, {
    exit: 0,
    out: /\nsigned \w{12}… with key [0-9A-F]{16} \(desk\), sequence \d{13}\nnext: kit deploy/,
  });
  t.match(await kit(`inspect ${at('signed')}`), { exit: 0, out: /signed {8}with key .* \(desk\)/ });
  t.match(await kit(`export ${at('run')} ${at('signed')}`), { exit: 0 });
  t.match(await kit(`inspect ${at('signed')}`), { out: /signed {8}by nobody/ }, 'an old signature is of an old bundle');
});

t.test('Ctrl-C during training saves, says how to go on, and going on ends like an unbroken run', async t => {
  const run = at('interrupted');
  let sent = false;
  const stopped = await kitProcess(['train', '--steps', '4000', '--out', run], {
    onErr: (text, kill) => {
      if (sent || !/step \d+/.test(text)) return;
      sent = true;
      kill('SIGINT');
    },
  });
  t.equal(stopped.exit, 130);
  t.match(stopped.out, /go on with: kit train --resume/);
  t.match(stopped.err, /stopping: an evaluation .* ends first/);
  const resumed = await kit(`train --resume ${run} --json`);
  t.equal(resumed.exit, 0, resumed.err);
  t.match(JSON.parse(resumed.out), { finished: true, steps: 4000 });
});

t.test('no port, a port that is not there, and a file that is no port', async t => {
  t.equal(errorOf(await kit(`run --policy ${at('bundle')} --yes --json`)).code, 'E_NO_PORT');
  const log = `--log ${at('never.mcap')}`;
  const absent = await kit(`run --policy ${at('bundle')} --port /dev/ttyNOWHERE --yes --json ${log}`);
  t.equal(absent.exit, 3);
  t.match(errorOf(absent), { code: 'E_PORT_ABSENT', message: /ttyNOWHERE/ });
  writeFileSync(at('file'), '');
  const file = await kit(`run --policy ${at('bundle')} --port ${at('file')} --yes --json ${log}`);
  t.equal(file.exit, 3);
  t.equal(errorOf(file).code, 'E_PORT_KIND');
});

t.test('nothing is moved unless somebody says so', async t => {
  const line = `run --policy ${at('bundle')} --port /dev/null --log ${at('never.mcap')}`;
  const unasked = await kit(`${line} --json`);
  t.equal(unasked.exit, 2);
  t.match(errorOf(unasked), { code: 'E_NOT_CONFIRMED', hint: /--yes/ });
  const refused = await kit(line, false);
  t.equal(refused.exit, 1);
  t.match(refused.err, /About to move desk2 on \/dev\/null/);
  t.match(refused.err, /nothing was moved/);
});

t.test(
  'a bundle with one byte changed, of another robot, or unknown, is refused before anything is opened',
  async t => {
    cpSync(at('bundle'), at('changed'), { recursive: true });
    const model = readFileSync(at('changed', 'policy.onnx'));
    model[model.length - 1]! ^= 1;
    writeFileSync(at('changed', 'policy.onnx'), model);
    const changed = await kit(`deploy ${at('changed')} --to ${at('store2')} --json`);
    t.equal(changed.exit, 1);
    t.equal(errorOf(changed).code, 'E_BUNDLE_DIGEST');

    const other = at('robots', 'other');
    cpSync(loadRobot('desk2').folder, other, { recursive: true });
    const spec = JSON.parse(readFileSync(join(other, 'robot.json'), 'utf8'));
    writeFileSync(join(other, 'robot.json'), JSON.stringify({ ...spec, name: 'other' }));
    const foreign = await kit(
      `run --robot ${other} --policy ${at('bundle')} --port /dev/null --yes --json --log ${at('never.mcap')}`,
    );
    t.equal(foreign.exit, 2);
    t.match(errorOf(foreign), { code: 'E_BUNDLE_ROBOT', message: /robot 'desk2', not for 'other'/ });

    t.match(errorOf(await kit(`inspect ${at('nowhere')} --json`)), { code: 'E_BUNDLE_MISSING' });
    t.match(errorOf(await kit('train --robot nobody --json')), { code: 'E_ROBOT_UNKNOWN', hint: /desk2/ });
    t.match(errorOf(await kit('train --task fly --json')), { code: 'E_TASK_UNKNOWN', hint: /reach/ });
  },
);

t.test('an unwritable folder is named, and nothing is left half made', async t => {
  writeFileSync(at('wall'), '');
  const train = await kit(`train --steps 2064 --out ${at('wall', 'run')} --json`);
  t.equal(train.exit, 2);
  t.equal(errorOf(train).code, 'E_RUN_FOLDER');
  const out = await kit(`export ${at('run')} ${at('wall', 'bundle')} --json`);
  t.equal(out.exit, 1);
  t.equal(errorOf(out).code, 'E_BUNDLE_WRITE');
  const deploy = await kit(`deploy ${at('bundle')} --to ${at('wall', 'store')} --json`);
  t.equal(deploy.exit, 1);
  t.equal(errorOf(deploy).code, 'E_DEPLOY_TARGET');
});

t.test('the same policy on the ideal rig: every tick kept, and the same run every time', async t => {
  const robot = loadRobot('desk2');
  const goals = () => listedGoals(heldOutGoals(robot.spec, taskNamed('reach'), 2), 100);
  const run = () => runOnRig({ rig: 'ideal', robot, policyDir: at('bundle'), goals: goals() });
  const first = await run();
  t.match(first, { end: { kind: 'done' }, missed: 0, stale: 0, linkErrors: 0 });
  t.equal(first.targets.length, 2);
  t.strictSame((await run()).targets, first.targets);
});

t.test('a log that was cut off is told of, mended, converted and learnt from', async t => {
  const robot = loadRobot('desk2');
  mkdirSync(at('logs'));
  const log = at('logs', 'lockstep.mcap');
  const goals = listedGoals(heldOutGoals(robot.spec, taskNamed('reach'), 2), 100);
  await runOnRig({ rig: 'avr-lockstep', robot, policyDir: at('bundle'), goals, logPath: log });
  t.match(await kit(`logs info ${log}`), { exit: 0, out: /whole, with its index/ });
  truncateSync(log, Math.floor(readFileSync(log).length * 0.8));
  t.match(await kit(`logs info ${log}`), { exit: 0, out: /cut off: mend it with kit logs recover/ });
  t.match(await kit(`logs recover ${log}`), { exit: 0, out: /transitions are whole/ });
  t.match(await kit(`logs info ${log}`), { out: /whole, with its index/ });
  t.match(await kit(`logs convert ${log} --to csv --out ${at('log.csv')}`), { exit: 0 });
  t.match(readFileSync(at('log.csv'), 'utf8').split('\n')[0], /^timeS,episode,step/);
  t.match(await kit(`logs convert ${log} --out ${at('log.csv')}`), { exit: 2, err: /exists already/ });
  t.match(await kit(`logs convert ${log} --to lerobot --out ${at('dataset')}`), { exit: 0 });
  t.match(await kit(`logs convert ${at('dataset')} --to mcap --out ${at('again.mcap')}`), { exit: 0 });
  t.match(await kit(`logs convert ${at('again.mcap')} --out ${at('again.csv')}`), { exit: 0 });
  t.equal(readFileSync(at('again.csv'), 'utf8'), readFileSync(at('log.csv'), 'utf8'), 'the same through a dataset');
  const tuned = await kit(
    `finetune --from ${at('bundle')} --logs ${at('logs')} --out ${at('tuned')} --steps 320 --json`,
  );
  t.equal(tuned.exit, 0, tuned.out);
  const { manifest } = JSON.parse((await kit(`inspect ${at('tuned', 'bundle')} --json`)).out);
  t.equal(manifest.provenance.logs.length, 1);
  t.equal(manifest.provenance.parent, JSON.parse((await kit(`inspect ${at('bundle')} --json`)).out).digest);
  t.match(errorOf(await kit(`logs info ${at('file')} --json`)), { code: /^E_LOG/ });
});
