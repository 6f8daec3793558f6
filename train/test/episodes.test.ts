import { Random } from '@sim2servo/models/random';
import type { Environment } from '@sim2servo/sim/environment';
import t from 'tap';
import { runEpisode, runEpisodes, summarise } from '../src/episodes.js';

/** Pays the action; its error falls from 9 to 0; ends after ten steps. */
class Countdown implements Environment {
  readonly observationSize = 1;
  readonly actionSize = 1;
  readonly observation = new Float32Array(1);
  readonly executedAction = new Float32Array(1);
  readonly terminated = false;
  truncated = false;
  error = 0;
  #step = 0;
  reset(random: Random): void {
    this.observation[0] = random.integer(5);
    this.#step = 0;
    this.truncated = false;
  }
  step(action: Float32Array): number {
    this.error = 9 - this.#step;
    this.truncated = ++this.#step === 10;
    return action[0]!;
  }
  save(): object {
    return {};
  }
  load(): void {}
  dispose(): void {}
}

t.test('an episode sums its rewards and averages the error over its last steps only', async t => {
  const environment = new Countdown();
  environment.reset(new Random(0));
  const result = await runEpisode(environment, () => Float32Array.of(0.5), { errorWindow: 4 });
  t.strictSame(result, { return: 5, length: 10, errorM: 1.5 });
});

t.test('a policy may answer late', async t => {
  const environment = new Countdown();
  environment.reset(new Random(0));
  const result = await runEpisode(environment, async observation => Float32Array.of(observation[0]! * 0 + 2), {
    errorWindow: 1,
  });
  t.equal(result.return, 20);
});

t.test('episodes start as the random generator says', async t => {
  const starts: number[] = [];
  const policy = (observation: Float32Array) => {
    starts.push(observation[0]!);
    return Float32Array.of(0);
  };
  await runEpisodes(new Countdown(), policy, new Random(1), 3, { errorWindow: 1 });
  const random = new Random(1);
  const expected = [0, 1, 2].map(() => random.integer(5));
  t.strictSame([starts[0], starts[10], starts[20]], expected);
});

t.test('a summary counts what was reached', t => {
  const summary = summarise(
    [
      { return: 1, length: 2, errorM: 0.0078125 },
      { return: 3, length: 4, errorM: 0.015625 },
    ],
    0.01,
  );
  t.strictSame(summary, {
    episodes: 2,
    meanReturn: 2,
    stdReturn: 1,
    meanLength: 3,
    meanErrorM: 0.01171875,
    maxErrorM: 0.015625,
    reached: 1,
  });
  t.end();
});
