import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { compileActors } from '../src/acting.js';
import { sac } from '../src/algorithms/sac.js';
import { Collector, type CollectorState } from '../src/collector.js';
import { createEngine } from '../src/engine/create-engine.js';
import { identityNormaliser } from '../src/observation-normaliser.js';
import { ReplayBuffer } from '../src/replay/replay-buffer.js';
import { kinematicArm } from './environments/kinematic-arm.js';

const sizes = { observation: 21, action: 2 };
const config = { ...sac.defaults, hiddenSizes: [8, 8], batchSize: 4 };

async function collectorInto(replay: ReplayBuffer, state?: CollectorState): Promise<Collector> {
  const collector = await Collector.start({
    environment: kinematicArm(),
    actor: compileActors(sizes, config),
    replay,
    seed: 1,
    state,
  });
  collector.setNormaliser(identityNormaliser(sizes.observation));
  const engine = await createEngine('split', sac, sizes, config, new Random(2));
  engine.readActor(collector.parameters);
  await engine.dispose();
  return collector;
}

const newReplay = () => ReplayBuffer.create({ capacity: 500, slack: 150, observationSize: 21, actionSize: 2 });

t.test('transitions follow each other, and each episode keeps its true last observation', async t => {
  const replay = newReplay();
  const collector = await collectorInto(replay);
  for (const uniform of [true, false]) {
    await collector.collect(150, uniform);
    t.equal(replay.written - replay.added, 150, 'not shown before the commit');
    replay.commit();
  }
  const observation = (row: number) => replay.observation.subarray(row * 21, (row + 1) * 21);
  const next = (row: number) => replay.nextObservation.subarray(row * 21, (row + 1) * 21);
  const ends: number[] = [];
  for (let row = 0; row < 299; row++) {
    if (replay.truncated[row] === 1) {
      ends.push(row);
      t.notSame(next(row), observation(row + 1), 'the next episode starts elsewhere');
    } else t.strictSame(next(row), observation(row + 1));
  }
  t.strictSame(ends, [99, 199], 'an episode is 2 s at 50 Hz');
  t.ok(replay.action.subarray(0, 600).every(value => value >= -1 && value <= 1));
  await collector.dispose();
});

t.test('uniform actions use the whole range, evenly', async t => {
  const replay = newReplay();
  const collector = await collectorInto(replay);
  for (let block = 0; block < 3; block++) {
    await collector.collect(150, true);
    replay.commit();
  }
  // The executed actions are shielded ones; at a new target they stay near what was asked.
  const actions = replay.action.subarray(0, 900);
  const mean = actions.reduce((sum, value) => sum + value, 0) / 900;
  t.ok(Math.abs(mean) < 0.15, `mean ${mean}`);
  t.ok(Math.min(...actions) < -0.8 && Math.max(...actions) > 0.8);
  await collector.dispose();
});

t.test('a collector restored from its state goes on as if nothing had been', async t => {
  const whole = newReplay();
  const first = await collectorInto(whole);
  await first.collect(130, false);
  whole.commit();
  const state = await first.save();
  const rest = newReplay();
  rest.load(whole.save());
  const second = await collectorInto(rest, structuredClone(state));
  for (const [collector, replay] of [
    [first, whole],
    [second, rest],
  ] as const) {
    await collector.collect(120, false);
    replay.commit();
  }
  t.strictSame(rest.save(), whole.save());
  await first.dispose();
  await second.dispose();
});
