import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { createEnvironment, type EnvironmentRecipe } from '../../src/environment-recipe.js';
import { gymRecipe } from '../../src/gym/gym-recipe.js';
import { gymTaskNamed } from '../../src/gym/gym-task-named.js';
import { VectorEnvironment, type VectorOptions } from '../../src/vector/vector-environment.js';
import { countdown, living } from '../environments/countdown.js';

const counting = (change: Partial<VectorOptions> = {}): VectorOptions => ({
  recipe: countdown(),
  observationSize: 2,
  actionSize: 1,
  seeds: [5, 6, 7],
  workers: 2,
  ...change,
});

/** What an environment alone does, row by row as the vector writes it. */
async function alone(recipe: EnvironmentRecipe, seed: number, actions: readonly Float32Array[]) {
  const environment = await createEnvironment(recipe);
  const random = new Random(seed);
  environment.reset(random);
  const rows = actions.map(action => {
    const reward = environment.step(action);
    const { terminated, truncated } = environment;
    const next = [...environment.observation];
    const executed = [...environment.executedAction];
    if (terminated || truncated) environment.reset(random);
    return { reward, terminated, truncated, next, executed, observation: [...environment.observation] };
  });
  environment.dispose();
  return rows;
}

const row = (values: Float32Array, i: number, width: number) => [...values.subarray(i * width, (i + 1) * width)];

for (const [name, recipe, observationSize, actionSize, steps] of [
  ['counting', countdown(), 2, 1, 60],
  ['Hopper-v5', gymRecipe('gym/Hopper-v5'), 11, 3, 120],
] as const)
  t.test(`${name}: every environment does what it does alone, however many threads there are`, async t => {
    const seeds = [11, 12, 13, 14, 15];
    const random = new Random(3);
    const actions = seeds.map(() =>
      Array.from({ length: steps }, () => Float32Array.from({ length: actionSize }, () => random.uniform(-1, 1))),
    );
    const wanted = await Promise.all(seeds.map((seed, i) => alone(recipe, seed, actions[i]!)));
    t.ok(
      wanted.every(rows => rows.some(({ terminated, truncated }) => terminated || truncated)),
      'every environment was reset on the way',
    );
    for (const [workers, callerSteps] of [
      [1, false],
      [5, false],
      [0, true],
      [2, true],
    ] as const) {
      const options = { recipe, observationSize, actionSize, seeds, workers, callerSteps };
      const vector = await VectorEnvironment.create(options);
      const { rows } = vector;
      for (let step = 0; step < steps; step++) {
        for (const [i, own] of actions.entries()) rows.action.set(own[step]!, i * actionSize);
        vector.step();
        const found = seeds.map((_, i) => ({
          reward: rows.reward[i],
          terminated: rows.terminated[i] === 1,
          truncated: rows.truncated[i] === 1,
          next: row(rows.nextObservation, i, observationSize),
          executed: row(rows.executedAction, i, actionSize),
          observation: row(rows.observation, i, observationSize),
        }));
        const expected = wanted.map(own => own[step]!);
        if (JSON.stringify(found) !== JSON.stringify(expected)) t.same(found, expected, `step ${step}`);
      }
      t.pass(`${workers} threads${callerSteps ? ' and the caller' : ''}`);
      await vector.dispose();
    }
  });

t.test('an episode that ends keeps its true last observation beside the first of the next', async t => {
  const vector = await VectorEnvironment.create(counting({ seeds: [1], workers: 1 }));
  const { observation, nextObservation, terminated, truncated } = vector.rows;
  const length = observation[0]!;
  const drawn = observation[1];
  for (let left = length - 1; left > 0; left--) {
    vector.step();
    t.same([...nextObservation], [left, drawn]);
    t.same(observation, nextObservation);
    t.same([terminated[0], truncated[0]], [0, 0]);
  }
  vector.step();
  t.same([...nextObservation], [0, drawn], 'where the episode ended');
  t.same([terminated[0], truncated[0]], length % 2 === 0 ? [1, 0] : [0, 1]);
  t.ok(observation[0]! >= 2 && observation[1] !== drawn, 'where the next one begins');
  await vector.dispose();
});

t.test('the caller may do something else while a step is under way, whether it steps a share or not', async t => {
  for (const callerSteps of [false, true]) {
    const vector = await VectorEnvironment.create(counting({ callerSteps }));
    for (const actions of [
      [0.25, 0.5, 1],
      [-1, 0, 0.5],
    ]) {
      vector.rows.action.set(actions);
      vector.begin();
      await new Promise(resolve => setTimeout(resolve, 20));
      vector.finish();
      t.same(
        [...vector.rows.executedAction],
        actions.map(action => action / 2),
      );
    }
    await vector.dispose();
  }
});

t.test('a step that is begun twice, or finished twice, is refused and does no harm', async t => {
  const vector = await VectorEnvironment.create(counting({ callerSteps: true }));
  const left = () => vector.rows.observation.filter((_, i) => i % 2 === 0);
  const before = left();
  t.throws(() => vector.finish(), { code: 'E_VECTOR_ORDER', exit: 'bug' });
  vector.begin();
  t.throws(() => vector.begin(), { code: 'E_VECTOR_ORDER', exit: 'bug' });
  vector.finish();
  t.throws(() => vector.finish(), { code: 'E_VECTOR_ORDER', exit: 'bug' });
  t.same(
    left(),
    before.map(steps => steps - 1),
    'each environment did one step',
  );
  await vector.dispose();
});

const lostCount = { code: 'E_COUNT', message: 'lost count', hint: 'count again', exit: 'failed' };

t.test('an environment that fails, in its making or in a step, fails the caller with its own error', async t => {
  for (const inThread of ['worker', 'main'] as const) {
    const wrong = (goesWrong: 'create' | 'step' | 'bug', at: number) =>
      VectorEnvironment.create(counting({ recipe: countdown({ goesWrong, at, inThread }), callerSteps: true }));
    await t.rejects(wrong('create', 1), lostCount, inThread);
    for (const [goesWrong, error] of [
      ['step', lostCount],
      ['bug', { code: 'E_VECTOR', message: 'not a number', exit: 'bug' }],
    ] as const) {
      const vector = await wrong(goesWrong, 2);
      vector.step();
      t.throws(() => vector.step(), error, inThread);
      t.throws(() => vector.step(), error, 'and goes on failing');
      await vector.dispose();
    }
  }
  await t.rejects(VectorEnvironment.create(counting({ recipe: { module: 'no-such-module', options: {} } })), {
    code: 'E_ENVIRONMENT',
  });
});

t.test('an environment that ends its thread, or hangs, leaves nobody waiting', async t => {
  for (const callerSteps of [false, true]) {
    const wrong = (goesWrong: 'exit' | 'hang', stepTimeoutMs: number) =>
      VectorEnvironment.create(
        counting({ recipe: countdown({ goesWrong, at: 1, inThread: 'worker' }), stepTimeoutMs, callerSteps }),
      );
    const ended = await wrong('exit', 30_000);
    t.throws(() => ended.step(), { code: 'E_VECTOR_EXIT' });
    await ended.dispose();
    const hung = await wrong('hang', 50);
    t.throws(() => hung.step(), { code: 'E_VECTOR_TIMEOUT', exit: 'timeout' });
    await hung.dispose();
  }
});

t.test('dispose leaves no thread, and no step after it', async t => {
  const vector = await VectorEnvironment.create(counting());
  await vector.dispose();
  t.throws(() => vector.step(), { code: 'E_VECTOR_DISPOSED' });
  // A process lives as long as one of its threads does. One worker looks for its next step while it is ended, where there are two cores.
  const program = (change: Partial<VectorOptions>, last: string) => `
    import { VectorEnvironment } from ${JSON.stringify(new URL('../../src/vector/vector-environment.js', import.meta.url))};
    const vector = await VectorEnvironment.create(${JSON.stringify(counting(change))});
    vector.step();
    console.log('stepped');
    ${last}`;
  const folder = t.testdir({
    'asleep.mjs': program({}, 'await new Promise(resolve => setTimeout(resolve, 100)); await vector.dispose();'),
    'looking.mjs': program({ workers: 1 }, 'await vector.dispose();'),
    'stepping.mjs': program({ workers: 1, callerSteps: true }, 'vector.begin(); await vector.dispose();'),
    'no-worker.mjs': program({ workers: 0, callerSteps: true }, ''),
    'stays.mjs': program({}, ''),
  });
  const run = (name: string, timeout: number) =>
    spawnSync(process.execPath, [join(folder, name)], { encoding: 'utf8', timeout });
  for (const name of ['asleep.mjs', 'looking.mjs', 'stepping.mjs', 'no-worker.mjs'])
    t.match(run(name, 30_000), { status: 0, stdout: 'stepped\n' }, name);
  t.match(run('stays.mjs', 3_000), { status: null, stdout: 'stepped\n' }, 'without it the threads go on');
});

t.test('the environments of the caller’s share are disposed of, also where one of them can’t be made', async t => {
  const vector = await VectorEnvironment.create(counting({ workers: 0, callerSteps: true }));
  t.equal(living.count, 3);
  await vector.dispose();
  await vector.dispose();
  t.equal(living.count, 0);
  const recipe = countdown({ goesWrong: 'create', at: 3 });
  await t.rejects(VectorEnvironment.create(counting({ recipe, workers: 0, callerSteps: true })), lostCount);
  t.equal(living.count, 0);
  const inWorker = countdown({ goesWrong: 'create', at: 1, inThread: 'worker' });
  await t.rejects(VectorEnvironment.create(counting({ recipe: inWorker, callerSteps: true })), lostCount);
  t.equal(living.count, 0);
});

t.test('sizes that are not the environment’s, and threads without one, are refused', async t => {
  await t.rejects(VectorEnvironment.create(counting({ observationSize: 3 })), {
    code: 'E_VECTOR_SIZE',
    message: /not 3/,
  });
  for (const workers of [0, 4, 1.5])
    await t.rejects(VectorEnvironment.create(counting({ workers })), { code: 'E_VECTOR_WORKERS' });
  for (const workers of [-1, 3, 0.5])
    await t.rejects(VectorEnvironment.create(counting({ workers, callerSteps: true })), { code: 'E_VECTOR_WORKERS' });
});

t.test('the true last observation of a gym task is that of the unreset environment', async t => {
  const { observationSize, actuators, episodeSteps } = gymTaskNamed('gym/Reacher-v5');
  const options = { recipe: gymRecipe('gym/Reacher-v5'), observationSize, actionSize: actuators.length };
  const vector = await VectorEnvironment.create({ ...options, seeds: [4], workers: 1 });
  for (let i = 0; i < episodeSteps; i++) vector.step();
  const { truncated, terminated, nextObservation, observation } = vector.rows;
  t.same([truncated[0], terminated[0]], [1, 0]);
  // The target moved: it is another episode's.
  t.notSame(observation.subarray(4, 6), nextObservation.subarray(4, 6));
  await vector.dispose();
});
