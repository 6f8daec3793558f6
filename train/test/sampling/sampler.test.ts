import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { identityNormaliser } from '../../src/observation-normaliser.js';
import { transitionSource } from '../../src/replay/mixer.js';
import type { ReplayBuffer } from '../../src/replay/replay-buffer.js';
import type { BatchSource, CallInputs } from '../../src/sampling/batch-source.js';
import { InlineBatches } from '../../src/sampling/inline-batches.js';
import { Sampler } from '../../src/sampling/sampler.js';
import { emptyCall, emptyReplay, filledReplay, fillReplay, noise } from './small-call.js';

const normaliser = identityNormaliser(3);
const start = (engine: CallInputs, replay: ReplayBuffer, script?: URL) =>
  Sampler.start({ engine, noise, replay: replay.shared, random: new Random(7).save(), ...(script && { script }) });
const dying = new URL('../environments/dying-sampler.js', import.meta.url);

/** What the engine sees in three blocks of 9, 0 and 5 calls, while the replay grows in between; and the generator after each. */
async function threeBlocks(batches: BatchSource, engine: CallInputs, replay: ReplayBuffer): Promise<unknown[]> {
  const seen: unknown[] = [];
  const [later, random] = [{ ...normaliser, mean: Float32Array.of(1, 2, 3) }, new Random(8)];
  for (const [calls, scale] of [[9, normaliser] as const, [0, later] as const, [5, later] as const]) {
    await batches.prepare(calls, scale);
    for (let i = 0; i < calls; i++) {
      await batches.take();
      seen.push(structuredClone([engine.batch, engine.noise]));
    }
    seen.push(await batches.save());
    fillReplay(replay, 7, random);
  }
  return seen;
}

for (const updatesPerCall of [1, 3]) {
  for (const share of [undefined, 0.5]) {
    const mixed = share === undefined ? '' : ', mixed with logs';
    t.test(`the thread draws what is drawn inline, ${updatesPerCall} updates to a call${mixed}`, async t => {
      const engine = emptyCall(updatesPerCall);
      const logged = share === undefined ? undefined : { replay: fillReplay(emptyReplay(), 5, new Random(9)), share };
      let replay = filledReplay();
      const inline = new InlineBatches(engine, noise, transitionSource(replay, logged), new Random(7));
      const expected = await threeBlocks(inline, engine, replay);
      replay = filledReplay();
      const sampler = await Sampler.start({
        engine,
        noise,
        replay: replay.shared,
        logged: logged && { replay: logged.replay.shared, share: logged.share },
        random: new Random(7).save(),
      });
      t.same(await threeBlocks(sampler, engine, replay), expected);
      await sampler.dispose();
    });
  }
}

t.test('what the replay gets while a block goes on is not drawn before the next', async t => {
  const replay = filledReplay();
  const engine = emptyCall(1);
  const sampler = await start(engine, replay);
  const known = new Set(replay.reward);
  await sampler.prepare(200, normaliser);
  const late = (reward: number) => {
    const [observation, action] = [new Float32Array(3), new Float32Array(2)];
    replay.add(observation, action, reward, observation, false, false);
  };
  for (let i = 0; i < 200; i++) {
    if (i % 50 === 0) late(1000 + i);
    await sampler.take();
    t.ok(engine.batch.reward!.every(reward => known.has(reward)));
  }
  await sampler.dispose();
});

t.test('an error of the thread reaches who waits for a batch, and who begins the next block', async t => {
  const sampler = await start(emptyCall(1), emptyReplay());
  await sampler.prepare(2, normaliser);
  await t.rejects(async () => sampler.take(), { code: 'E_REPLAY_EMPTY', exit: 'bug' });
  await t.rejects(sampler.prepare(2, normaliser), { code: 'E_REPLAY_EMPTY' });
  await t.rejects(sampler.save(), { code: 'E_REPLAY_EMPTY' });
  await sampler.dispose();
});

t.test('a thread that ends in the middle of a block is an error, not a wait', async t => {
  const sampler = await start(emptyCall(1), filledReplay(), dying);
  await sampler.prepare(3, normaliser);
  await sampler.take();
  await t.rejects(async () => sampler.take(), { code: 'E_WORKER', message: /code 4/ });
  await sampler.dispose();
});

t.test('a thread that cannot start says why', async t => {
  const logged = { replay: filledReplay().shared, share: 2 };
  const options = { engine: emptyCall(1), noise, replay: filledReplay().shared, random: new Random(7).save() };
  await t.rejects(Sampler.start({ ...options, logged }), { code: 'E_LOGGED_SHARE', exit: 'usage' });
});

t.test('a thread that waits for a free slot can be ended', async t => {
  const sampler = await start(emptyCall(1), filledReplay());
  await sampler.prepare(100, normaliser);
  await sampler.take();
  await t.resolves(async () => sampler.dispose());
});
