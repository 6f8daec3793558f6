import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { gymTaskNamed, gymTasks } from '../../src/gym/gym-task-named.js';

/** See record.py, which wrote them. */
interface Vectors {
  readonly task: string;
  readonly mujoco: string;
  readonly episodeSteps: number;
  readonly actionLow: readonly number[];
  readonly actionHigh: readonly number[];
  readonly gridPerUnit: number;
  readonly trajectories: readonly {
    readonly actions: string;
    readonly qpos: readonly number[];
    readonly qvel: readonly number[];
    readonly first: readonly number[];
    readonly grid: readonly (readonly number[])[];
    readonly steps: readonly Recorded[];
  }[];
}

interface Recorded {
  readonly step: number;
  readonly observation: readonly number[];
  readonly reward: number;
  readonly terminated: boolean;
}

/** Four folders above dist/test/gym, then down again. */
const folder = fileURLToPath(new URL('../../../test/gym/vectors/', import.meta.url));
const vectors = readdirSync(folder).map(name => JSON.parse(readFileSync(folder + name, 'utf8')) as Vectors);

/** What the first steps must agree to; measured: 3e-13 at most. */
const closely = { steps: 10, within: 1e-6 };

/**
 * What later steps agree to, until which step: ten to a hundred times what was measured. The two builds round differently in the last
 * digit. A system with a positive Lyapunov exponent doubles that again and again: two poles that whirl about after they fell, and a cheetah
 * thrown on its back, whose feet touch down in another step. The others forget it.
 */
const drift: Readonly<Record<string, { readonly until: number; readonly within: number }>> = {
  'Pendulum-v1': { until: 200, within: 1e-13 },
  'Reacher-v5': { until: 200, within: 1e-14 },
  'InvertedPendulum-v5': { until: 200, within: 1e-10 },
  'InvertedDoublePendulum-v5': { until: 100, within: 1e-6 },
  'Pusher-v5': { until: 200, within: 1e-9 },
  'Hopper-v5': { until: 200, within: 1e-11 },
  'HalfCheetah-v5': { until: 50, within: 1e-6 },
};

t.test('every task has its vectors, of the MuJoCo that we have', async t => {
  t.same(vectors.map(({ task }) => `gym/${task}`).sort(), gymTasks.map(task => task.name).sort());
  const { dependencies } = JSON.parse(
    readFileSync(fileURLToPath(new URL('../../../package.json', import.meta.url)), 'utf8'),
  );
  for (const { mujoco } of vectors) t.equal(mujoco, dependencies['@mujoco/mujoco']);
});

for (const { task: name, episodeSteps, trajectories, gridPerUnit, ...recorded } of vectors)
  t.test(`${name} does what Gymnasium's does`, async t => {
    const task = gymTaskNamed(`gym/${name}`);
    const environment = await task.create();
    t.teardown(() => environment.dispose());
    t.equal(task.episodeSteps, episodeSteps);
    t.equal(task.actuators.length, recorded.actionLow.length);
    t.equal(task.observationSize, trajectories[0]?.first.length);
    const { until, within } = drift[name]!;
    for (const { qpos, qvel, first, grid, steps, actions } of trajectories) {
      environment.resetTo(qpos, qvel);
      t.ok(difference(environment.exactObservation, first) < 1e-12, 'first observation');
      const byStep = new Map(steps.map(step => [step.step, step]));
      let near = 0;
      let far = 0;
      for (const [i, action] of grid.entries()) {
        const reward = environment.step(action.map(value => value / gridPerUnit));
        const wanted = byStep.get(i + 1);
        if (wanted === undefined || wanted.step > until) continue;
        const error = Math.max(
          difference(environment.exactObservation, wanted.observation),
          Math.abs(reward - wanted.reward),
        );
        if (wanted.step <= closely.steps) near = Math.max(near, error);
        else far = Math.max(far, error);
        t.equal(environment.terminated, wanted.terminated, `step ${wanted.step} of ${actions}: terminated`);
        t.same(environment.observation, Float32Array.from(environment.exactObservation));
      }
      t.ok(near < closely.within, `${actions}: ${near} in the first ${closely.steps} steps`);
      t.ok(far < within, `${actions}: ${far} until step ${until}`);
    }
  });

t.test('the vectors show ends, limits and contacts', async t => {
  const stepsOf = (name: string) =>
    vectors.find(({ task }) => task === name)!.trajectories.flatMap(trajectory => trajectory.steps);
  for (const name of ['InvertedPendulum-v5', 'InvertedDoublePendulum-v5', 'Hopper-v5'])
    t.same(new Set(stepsOf(name).map(({ terminated }) => terminated)), new Set([false, true]), name);
  t.ok(
    stepsOf('InvertedDoublePendulum-v5').some(({ step, observation }) => step <= 100 && observation[8] !== 0),
    'the cart is at the end of the rail',
  );
  const pushed = vectors.find(({ task }) => task === 'Pusher-v5')!.trajectories.at(-1)!;
  t.ok(Math.abs(pushed.steps.at(-1)!.observation[17]! - pushed.first[17]!) > 0.005, 'the puck is pushed');
});

function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
}
