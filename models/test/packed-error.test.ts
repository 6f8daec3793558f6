import t from 'tap';
import { KitError } from '../src/error.js';
import { packError, unpackError } from '../src/packed-error.js';

t.test('an error of the kit crosses threads whole', t => {
  const error = new KitError('E_ECHO', 'no echo', 'ask for less', 'timeout');
  const arrived = unpackError(structuredClone(packError(error, 'E_WORKER')));
  t.match(arrived, { code: 'E_ECHO', message: 'no echo', hint: 'ask for less', exit: 'timeout' });
  t.ok(arrived instanceof KitError);
  t.equal(arrived.cause, error.stack);
  t.end();
});

t.test('anything else is a bug, under the code that it is given', t => {
  for (const thrown of [new TypeError('odd'), 'odd'])
    t.match(unpackError(packError(thrown, 'E_WORKER')), { code: 'E_WORKER', message: 'odd', exit: 'bug' });
  t.end();
});
