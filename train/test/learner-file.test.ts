import t from 'tap';
import { decodeLearner, encodeLearner } from '../src/learner-file.js';

t.test('the learner file holds all but the actor, which is in the policy', t => {
  const parameters = {
    'actor/a': Float32Array.of(1),
    'critics/0/b': Float32Array.of(2, 3),
    'logAlpha/value': Float32Array.of(-1),
  };
  const { 'actor/a': _, ...rest } = parameters;
  t.strictSame(decodeLearner(encodeLearner(parameters), 'here'), rest);
  t.end();
});

t.test('a damaged learner file is refused by name', t => {
  const bytes = encodeLearner({ 'critics/b': Float32Array.of(2) });
  bytes[bytes.length - 40]! ^= 1;
  t.throws(() => decodeLearner(bytes, 'b/learner.ckpt'), { code: 'E_CHECKPOINT_DAMAGED', message: /b\/learner\.ckpt/ });
  t.end();
});
