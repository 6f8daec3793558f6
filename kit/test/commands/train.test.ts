import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shippedPolicies } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { errorOf, kit } from '../test-io.js';

const folder = t.testdir({});
const run = join(folder, 'run');

t.test('a task of Gymnasium is learnt and tried without a robot, and judged by its return', async t => {
  const trained = await kit(`train --task gym/Pendulum-v1 --steps 1008 --out ${run}`);
  t.match(trained, { exit: 0, out: /best policy: step \d+, return −?-?\d+\.\d\n/ });
  t.match(trained.out, `next: kit eval ${run}`);
  t.notMatch(trained.out, / mm/);
  t.match(await kit(`eval ${run} --targets 2`), {
    exit: 0,
    out: /^gym\/Pendulum-v1: return -\d+\.\d ± \d+\.\d over 2 episodes\nmean length 200 steps$/,
  });
  const json = JSON.parse((await kit(`eval ${run} --targets 2 --json`)).out) as { returns: number[] };
  t.equal(json.returns.length, 2);
  t.match(await kit(`eval ${run} --arm changed`), { exit: 2, err: /no robot[\s\S]*--arm/ });
  t.match(await kit(`export ${run} ${join(folder, 'bundle')}`), { exit: 2, err: /only robots' policies/ });
  t.match(await kit(`finetune --from ${run} --logs ${folder} --out ${join(folder, 'tuned')}`), { exit: 2 });
});

t.test('an unknown task is answered with all there are, and makes no folder', async t => {
  for (const task of ['juggle', 'gym/Juggle-v1', 'gym/']) {
    const said = await kit(`train --task ${task} --out ${join(folder, 'none')} --json`);
    t.equal(said.exit, 2);
    t.match(errorOf(said), {
      code: 'E_TASK_UNKNOWN',
      hint: /reach, hold, track, gym\/Pendulum-v1, .*gym\/HalfCheetah-v5/,
    });
  }
  t.notOk(existsSync(join(folder, 'none')));
});

t.test('a rate belongs to a robot’s policy, and stands in its configuration', async t => {
  const out = join(folder, 'rate');
  t.match(errorOf(await kit(`train --task gym/Reacher-v5 --rate 100 --out ${out} --json`)), { code: 'E_TASK_RATE' });
  t.match(await kit(`train --rate none --out ${out}`), { exit: 2, err: /'none' is not a number above 0/ });
  t.equal((await kit(`train --robot so101 --rate 100 --steps 64 --out ${out}`)).exit, 2, 'too short for an evaluation');
  const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
  t.match(config, {
    robot: 'so101',
    controlRateHz: 100,
    learnAtHz: 25,
    nearStarts: 0.5,
    chainedStarts: 0.3,
    sac: { gamma: 1 - 1 / 75 },
  });
});

t.test('a run begins only with a policy for its robot', async t => {
  const from = `--from ${join(shippedPolicies, 'so101-reach-50hz')} --out ${join(folder, 'begun')} --json`;
  t.match(errorOf(await kit(`train --robot koch ${from}`)), { code: 'E_BUNDLE_ROBOT' });
  t.match(errorOf(await kit(`train ${from}`)), { code: 'E_BUNDLE_ROBOT' }, 'nor for desk2');
  t.match(errorOf(await kit(`train --task gym/Reacher-v5 ${from}`)), { code: 'E_TASK_FROM' });
  t.match(errorOf(await kit(`train --resume ${run} ${from}`)), { code: 'E_RESUME_FROM' });
  t.match(errorOf(await kit(`train --robot so101 --from ${folder} --json`)), { code: 'E_NO_POLICY' });
  t.notOk(existsSync(join(folder, 'begun')));
  t.equal((await kit(`train --robot so101 --rate 100 --steps 64 ${from}`)).exit, 0);
  const config = JSON.parse(readFileSync(join(folder, 'begun', 'config.json'), 'utf8'));
  t.match(config, {
    controlRateHz: 100,
    startedFrom: /^[0-9a-f]{64}$/,
    learnAtHz: 25,
    sac: { gamma: 1 - 1 / 75, actorAfter: 5000 },
  });
});

t.test('a robot belongs to a robot’s task, a scene to a gym task', async t => {
  t.match(errorOf(await kit('train --task gym/Reacher-v5 --robot desk2 --json')), { code: 'E_TASK_ROBOT' });
  t.match(errorOf(await kit('train --task reach --scene mine.xml --json')), { code: 'E_TASK_SCENE' });
  const absent = await kit(`train --task gym/Reacher-v5 --scene absent.xml --out ${join(folder, 'absent')} --json`);
  t.match(errorOf(absent), { code: 'E_SCENE', message: /absent\.xml/ });
});
