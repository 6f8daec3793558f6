import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { Acting, compileActors } from '../src/acting.js';
import { sac } from '../src/algorithms/sac.js';
import { createEngine } from '../src/engine/create-engine.js';

const sizes = { observation: 3, action: 2 };
const config = { ...sac.defaults, hiddenSizes: [8, 8], batchSize: 4 };

t.test('a thread acts as its engine does, with noise and without', async t => {
  const engine = await createEngine('split', sac, sizes, config, new Random(1));
  const acting = await Acting.open(structuredClone(compileActors(sizes, config)));
  const parameters = new Float32Array(new SharedArrayBuffer(engine.actorLength * 4));
  engine.readActor(parameters);
  acting.load(parameters);
  const random = new Random(2);
  const noise = new Float32Array(acting.noiseSize);
  for (let i = 0; i < 20; i++) {
    const observation = Float32Array.from({ length: 3 }, () => random.normal());
    random.fillNormal(noise);
    for (const draw of [undefined, noise]) {
      const mine = [...(await acting.act(observation, draw))];
      const engines = [...(await engine.act(observation, draw))];
      for (const [j, value] of mine.entries()) t.ok(Math.abs(value - engines[j]!) < 1e-6);
    }
  }
  await acting.dispose();
  await engine.dispose();
});

t.test('new parameters count from the next action on', async t => {
  const acting = await Acting.open(compileActors(sizes, config));
  const observation = Float32Array.of(1, 2, 3);
  acting.load(new Float32Array(compileActors(sizes, config).stochastic.layout.length));
  t.strictSame([...(await acting.act(observation))], [0, 0]);
  acting.load(new Float32Array(compileActors(sizes, config).stochastic.layout.length).fill(0.1));
  t.ok((await acting.act(observation))[0]! > 0);
  await acting.dispose();
});
