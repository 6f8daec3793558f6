import * as tf from '@tensorflow/tfjs-core';
import t from 'tap';
import '../../src/compile/prepare-tensorflow.js';
import type { Instruction } from '../../src/algorithms/algorithm.js';
import { fromLosses, type ShortForm } from '../../src/algorithms/short-form.js';

const nothing = () => ({ loss: tf.scalar(0), metrics: {} });
const group = { parameters: [], optimiser: { learningRate: 1 } };

const form: ShortForm = {
  algorithm: 'test',
  sizes: { observation: 1, action: 1 },
  groups: { critics: group, actor: group },
  averages: { targetCritics: { of: 'critics', tau: 0.1 } },
  batch: {},
  noise: {},
  actor: { group: 'actor', noiseSize: 1, act: (_w, o) => o, actDeterministic: (_w, o) => o },
  losses: [
    { name: 'critic', trains: ['critics'], loss: nothing },
    { name: 'actor', trains: ['actor'], loss: nothing, every: 2, after: 3 },
  ],
};

const names = (instructions: Iterable<Instruction>) =>
  [...instructions].map(instruction => (instruction.kind === 'apply' ? instruction.program : instruction.average));

t.test('averages follow the loss that trains their source, before the next loss', async t => {
  const { update } = fromLosses(form);
  t.same(names(update(3)), ['critic', 'targetCritics', 'actor']);
});

t.test('a loss with `every` and `after` rests in between, and the averages go on', async t => {
  const { update } = fromLosses(form);
  const withActor = [0, 1, 2, 3, 4, 5, 6, 7].filter(index => names(update(index)).includes('actor'));
  t.same(withActor, [3, 5, 7]);
  t.ok([0, 1, 2, 4].every(index => names(update(index)).join() === 'critic,targetCritics'));
});

t.test('programs keep what they train', async t => {
  const { programs } = fromLosses(form);
  t.same(programs.actor?.trains, ['actor']);
  t.equal(programs.critic?.run, nothing);
});
