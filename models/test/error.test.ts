import t from 'tap';
import { exitCodes, KitError, messageOf } from '../src/error.js';

t.test('an error carries code, sentence, hint and exit', async t => {
  const cause = new Error('below');
  const error = new KitError('E_PORT_GONE', "port '/dev/x' vanished", 'plug it in', 'noDevice', { cause });
  t.ok(error instanceof Error);
  t.equal(error.name, 'KitError');
  t.equal(error.code, 'E_PORT_GONE');
  t.equal(error.message, "port '/dev/x' vanished");
  t.equal(error.hint, 'plug it in');
  t.equal(exitCodes[error.exit], 3);
  t.equal(error.cause, cause);
});

t.test('an error without a reason to leave otherwise fails with 1', async t => {
  t.equal(exitCodes[new KitError('E', 'm', 'h').exit], 1);
});

t.test('the exit codes are those of the command line’s contract', async t => {
  t.same(exitCodes, {
    ok: 0,
    failed: 1,
    usage: 2,
    noDevice: 3,
    safetyStop: 4,
    timeout: 5,
    bug: 70,
    interrupt: 130,
  });
});

t.test('whatever was thrown has a message', async t => {
  t.equal(messageOf(new Error('words')), 'words');
  t.equal(messageOf('words'), 'words');
  t.equal(messageOf(undefined), 'undefined');
  t.equal(messageOf({ toString: () => 'own' }), 'own');
});
