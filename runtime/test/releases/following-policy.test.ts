import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { weightsApart } from '@sim2servo/models/bundle/weights-apart';
import { observationSize } from '@sim2servo/models/observe';
import t from 'tap';
import { type InferenceBackend, inferenceBackends } from '../../src/inference-backend.js';
import { openPolicySession } from '../../src/policy-session.js';
import { FollowingPolicy, type NextPolicy } from '../../src/releases/following-policy.js';
import { robot } from '../support/arm-fixture.js';
import { answer, modelOf, randomPolicy, type SmallPolicy, writeSmallBundle } from '../support/small-bundle.js';

const controlRateHz = 50;
/** Ten ticks from one end of the range to the other. */
const step = 0.2;
const folder = join(t.testdir(), 'bundle');

/** Answers `bias` whatever it sees. */
function constant(...actions: number[]): SmallPolicy {
  return {
    weights: new Float32Array(observationSize(robot.spec) * actions.length),
    bias: Float32Array.from(actions, Math.atanh),
  };
}

const nextOf = (policy: SmallPolicy, digest = 'b', fallback?: NextPolicy): NextPolicy => ({
  digest,
  name: 'next',
  serial: 1,
  share: 1,
  ...(fallback && { fallback }),
  weights: weightsApart(modelOf(policy)).weights.map(({ data }) => data),
});

const first = constant(0.5, -0.5);
writeSmallBundle(folder, robot, first);

async function follow(backend: InferenceBackend = 'native') {
  const session = await openPolicySession(loadBundle(folder), { exchangeable: true, backends: [backend] });
  const came: string[] = [];
  const policy = new FollowingPolicy(session, controlRateHz, ({ digest }) => came.push(digest));
  const tick = async () => {
    await policy.rehearse();
    await policy.infer();
    return Array.from(policy.action, value => Math.round(value * 1e5) / 1e5);
  };
  return { session, policy, came, tick };
}

for (const backend of inferenceBackends)
  t.test(`another policy takes over between two ticks, starting from the last action: ${backend}`, async t => {
    const { session, policy, came, tick } = await follow(backend);
    t.same(await tick(), [0.5, -0.5]);
    policy.offer(nextOf(constant(-0.5, -0.6)));
    t.same(came, [], 'not before the next tick');
    t.same(await tick(), [0.3, -0.6], `a part of the way, at most ${step}`);
    t.same(came, ['b']);
    t.same(
      [await tick(), await tick(), await tick(), await tick()],
      [
        [0.1, -0.6],
        [-0.1, -0.6],
        [-0.3, -0.6],
        [-0.5, -0.6],
      ],
    );
    await session.dispose();
  });

t.test('once it has caught up, the new policy is not limited any more', async t => {
  const { session, policy, tick } = await follow();
  await tick();
  const next = randomPolicy(robot, 5);
  policy.offer(nextOf(next));
  policy.observation.fill(0.1);
  for (let i = 0; i < 20; i++) await tick();
  let before = Array.from(policy.action);
  let furthest = 0;
  for (const observation of [2, -2, 2]) {
    policy.observation.fill(observation);
    await tick();
    for (const [j, value] of answer(next, policy.observation).entries())
      t.ok(Math.abs(policy.action[j]! - value) < 1e-5);
    furthest = Math.max(furthest, ...before.map((value, j) => Math.abs(policy.action[j]! - value)));
    before = Array.from(policy.action);
  }
  t.ok(furthest > step, 'and it went further in a tick than it might have before');
  await session.dispose();
});

t.test('of two that come within a tick the later one takes over, and one after another they all do', async t => {
  const { session, policy, came, tick } = await follow();
  policy.offer(nextOf(constant(0.1, 0.1), 'b'));
  policy.offer(nextOf(constant(0.2, 0.2), 'c'));
  await tick();
  t.same(came, ['c']);
  policy.offer(nextOf(constant(0.3, 0.3), 'd'));
  for (let i = 0; i < 10; i++) await tick();
  t.same(await tick(), [0.3, 0.3]);
  t.same(came, ['c', 'd']);
  await session.dispose();
});

t.test('what is not a number still comes out as such, for the shield to refuse', async t => {
  const { session, policy, tick } = await follow();
  await tick();
  policy.offer(nextOf(constant(Number.NaN, 0.1)));
  t.ok(Number.isNaN((await tick())[0]));
  await session.dispose();
});

t.test('weights of another network are refused, and the old policy goes on', async t => {
  const { session, policy, came, tick } = await follow();
  t.throws(() => policy.offer({ digest: 'x', name: 'odd', weights: [new Float32Array(3)], serial: 1, share: 1 }), {
    code: 'E_POLICY_NETWORK',
  });
  t.same(await tick(), [0.5, -0.5]);
  t.same(came, []);
  await session.dispose();
});

t.test(
  'the first answer of one on trial that is no number brings its fallback back, from the last action that was one',
  async t => {
    const { session, policy, came, tick } = await follow();
    await tick();
    const fallback = nextOf(first, 'a');
    policy.offer(nextOf(constant(Number.NaN, 0.1), 'bad', fallback));
    t.ok(Number.isNaN((await tick())[0]));
    t.same(came, ['bad']);
    t.same(await tick(), [0.5, -0.5]);
    t.same(came, ['bad', 'a']);
    t.ok(policy.fallBack(), 'it is there already');
    await tick();
    t.same(came, ['bad', 'a'], 'and is not exchanged again');
    await session.dispose();
  },
);

t.test(
  'a fallback comes when it is called for, before the one on trial has driven, while it drives, and not any more after it stays',
  async t => {
    const { session, policy, came, tick } = await follow();
    t.notOk(policy.fallBack(), 'there is nothing to fall back to');
    const fallback = nextOf(first, 'a');
    policy.offer(nextOf(constant(0.1, 0.1), 'b', fallback));
    t.ok(policy.fallBack());
    await tick();
    t.same(came, [], 'it never drove');
    policy.offer(nextOf(constant(0.1, 0.1), 'b', fallback));
    await tick();
    t.ok(policy.fallBack());
    await tick();
    t.same(came, ['b', 'a']);
    policy.offer(nextOf(constant(0.1, 0.1), 'b', fallback));
    await tick();
    policy.settle();
    t.notOk(policy.fallBack());
    await tick();
    t.same(came, ['b', 'a', 'b']);
    await session.dispose();
  },
);

t.test('a run that begins with one on trial is given its fallback with it', async t => {
  const session = await openPolicySession(loadBundle(folder), { exchangeable: true });
  const came: string[] = [];
  const policy = new FollowingPolicy(session, controlRateHz, ({ digest }) => came.push(digest), nextOf(first, 'a'));
  t.ok(policy.fallBack());
  await policy.rehearse();
  t.same(came, ['a']);
  await session.dispose();
});
