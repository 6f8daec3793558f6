import t from 'tap';
import { holdWords, stopError } from '../src/hold-words.js';

const feetech = { kind: 'feetech', leadMs: 100 } as const;
const haltError = "NOT held (no torque): servo 1 of joint 'shoulder'; every other joint holds";

t.test('that an arm holds is only said where its device has confirmed it', async t => {
  t.equal(holdWords({}, feetech), 'the arm was told to hold, and holds');
  t.match(stopError({ reason: 'it went limp' }), {
    code: 'E_SAFETY_STOP',
    exit: 'safetyStop',
    message: 'the arm was stopped and holds: it went limp',
  });
});

t.test('of one that does not, which joints, and what its own bus does when nobody speaks', async t => {
  const words = holdWords({ haltError }, feetech);
  t.ok(words.startsWith(`the hold failed: ${haltError}; when nobody speaks: these servos have no deadline`), words);
  t.notMatch(words, /board/, 'there is none on this bus');
  t.match(holdWords({ haltError }, { kind: 'kitlink', deadlineMs: 60 }), /the board holds the arm by itself 60 ms/);
  const { message } = stopError({ reason: 'it went limp', haltError });
  t.equal(message, `the arm was stopped: it went limp; the hold failed: ${haltError}`);
});
