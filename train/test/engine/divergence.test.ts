import t from 'tap';
import { checkFinite } from '../../src/engine/divergence.js';

t.test('a finite number passes', async t => {
  t.doesNotThrow(() => checkFinite(-3e38, 'loss', ['actor'], 1));
});

t.test('anything else names what, whose and when', async t => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    t.throws(() => checkFinite(value, 'loss', ['actor', 'logAlpha'], 17), {
      code: 'E_DIVERGED',
      message: `The loss of actor and logAlpha is ${value} in update 17.`,
      hint: /learningRate/,
    });
  }
});
