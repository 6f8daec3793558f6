import t from 'tap';
import { learnProbe, probeConfig } from './learn-probe.js';

const actions = [-0.9, -0.3, 0.3, 0.9];

function near(t: { ok: (found: boolean, message: string) => boolean }, what: string, actual: number, expected: number) {
  t.ok(Math.abs(actual - expected) < 0.1, `${what} is ${actual.toFixed(3)}, should be ${expected}`);
}

t.test('constant reward: the value of the only state is that reward', async t => {
  const { value } = await learnProbe({ first: () => 0, step: () => ({ reward: 1, next: 0, terminated: true }) }, 600);
  for (const action of actions) near(t, `Q(0, ${action})`, value(0, action), 1);
});

t.test('reward is the observation: the critic sees the observation', async t => {
  const { value } = await learnProbe(
    {
      first: random => (random.integer(2) === 0 ? -1 : 1),
      step: observation => ({ reward: observation, next: observation, terminated: true }),
    },
    1000,
  );
  for (const action of actions) {
    near(t, `Q(-1, ${action})`, value(-1, action), -1);
    near(t, `Q(1, ${action})`, value(1, action), 1);
  }
});

t.test('reward after two steps: the first state is worth γ of the second, through the target critics', async t => {
  const { value } = await learnProbe(
    {
      first: () => 0,
      step: observation =>
        observation === 0 ? { reward: 0, next: 1, terminated: false } : { reward: 1, next: 0, terminated: true },
    },
    2000,
  );
  for (const action of actions) {
    near(t, `Q(1, ${action})`, value(1, action), 1);
    near(t, `Q(0, ${action})`, value(0, action), probeConfig.gamma);
  }
});

t.test('reward is the action: the policy goes to its end, and the critic sees the action', async t => {
  const { value, policy } = await learnProbe(
    { first: () => 0, step: (_observation, action) => ({ reward: action, next: 0, terminated: true }) },
    2000,
  );
  near(t, 'the action', policy(0), 1);
  near(t, 'Q(0, 0.9)', value(0, 0.9), 0.9);
});

t.test('the action must match the observation: the policy sees the observation', async t => {
  const { value, policy } = await learnProbe(
    {
      first: random => random.uniform(-0.8, 0.8),
      step: (observation, action) => ({ reward: -((action - observation) ** 2), next: observation, terminated: true }),
    },
    3000,
  );
  for (const observation of [-0.7, -0.3, 0, 0.4, 0.7]) {
    near(t, `the action at ${observation}`, policy(observation), observation);
    near(t, `Q(${observation}, ${observation})`, value(observation, observation), 0);
  }
});

t.test('the same with the settings for fine-tuning: ten critics with layer norm, two in the target', async t => {
  const { policy } = await learnProbe(
    {
      first: random => random.uniform(-0.8, 0.8),
      step: (observation, action) => ({ reward: -((action - observation) ** 2), next: observation, terminated: true }),
    },
    800,
    {
      ...probeConfig,
      critics: 10,
      targetSubset: 2,
      criticLayerNorm: true,
      actorObjective: 'mean',
    },
  );
  for (const observation of [-0.6, 0, 0.6]) near(t, `the action at ${observation}`, policy(observation), observation);
});
