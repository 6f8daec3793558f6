import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { sac } from '../../src/algorithms/sac.js';
import { initialState } from '../../src/engine/initial-state.js';
import { sizes, smallSac } from './small-sac.js';

const state = initialState(sac.declare(sizes, smallSac), new Random(1));

t.test('the targets start equal to the critics, in arrays of their own', async t => {
  const critics = Object.keys(state.parameters).filter(name => name.startsWith('critics/'));
  t.equal(critics.length, 12);
  for (const name of critics) {
    const target = state.parameters[`targetC${name.slice(1)}`]!;
    t.same([...target], [...state.parameters[name]!]);
    t.not(target, state.parameters[name]);
  }
});

t.test('the two critics start different', async t => {
  t.notSame([...state.parameters['critics/0/out/kernel']!], [...state.parameters['critics/1/out/kernel']!]);
});

t.test('moments start at 0 for what is trained, and averages have none', async t => {
  t.ok(Object.values(state.firstMoments).every(values => values.every(value => value === 0)));
  t.ok('actor/out/bias' in state.secondMoments);
  t.notOk('targetCritics/0/out/bias' in state.firstMoments);
  t.same(state.optimiserSteps, { actor: 0, critics: 0, logAlpha: 0 });
});
