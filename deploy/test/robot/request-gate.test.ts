import { sha256 } from '@sim2servo/models/digest';
import t from 'tap';
import { maxLineBytes } from '../../src/agent/agent-lines.js';
import { RequestGate } from '../../src/robot/request-gate.js';
import { maxTtlMs } from '../../src/targets/mqtt-messages.js';

const boot = 7;
const session = 11;
const ask = (changes: object = {}) => ({
  kind: 'ask',
  boot,
  session,
  sequence: 1,
  untilMs: 2000,
  seen: 0,
  request: { kind: 'status' },
  ...changes,
});
const chunkOf = (text: string, changes: object = {}) => ({
  boot,
  session,
  sha256: 'a'.repeat(64),
  offset: 0,
  digest: sha256(text),
  base64: Buffer.from(text).toString('base64'),
  ...changes,
});
function opened(): RequestGate {
  const gate = new RequestGate(boot);
  gate.open(session);
  return gate;
}
const judged = (gate: RequestGate, message: object | string, nowMs = 1000, retained = false) => {
  const payload = typeof message === 'string' ? message : JSON.stringify(message);
  const result = gate.judge({ payload, retained }, nowMs);
  return 'refusal' in result ? result.refusal : 'obeyed';
};

t.test('what is meant for now is obeyed, and again when it is asked again', async t => {
  const gate = opened();
  t.equal(judged(gate, ask()), 'obeyed');
  t.equal(judged(gate, ask()), 'obeyed');
  t.equal(judged(gate, ask({ sequence: 2 })), 'obeyed');
  t.equal(judged(gate, { kind: 'open', session: 5, nonce: 1 }), 'obeyed');
  t.ok(Object.values(gate.refused).every(count => count === 0));
});

t.test('no old, retained or foreign request is obeyed, and each refusal is counted', async t => {
  const gate = opened();
  judged(gate, ask({ sequence: 4 }));
  for (const [message, refusal, retained = false] of [
    [ask({ sequence: 5 }), 'retained', true],
    ['no JSON', 'malformed'],
    [' '.repeat(maxLineBytes + 1), 'malformed'],
    [ask({ request: { kind: 'reboot' } }), 'malformed'],
    [ask({ sequence: 5, boot: 8 }), 'boot'],
    [ask({ session: 12 }), 'session'],
    [ask({ sequence: 5, untilMs: 999 }), 'expired'],
    [ask({ sequence: 5, untilMs: 1001 + maxTtlMs }), 'expired'],
    [ask({ sequence: 3 }), 'sequence'],
    [{ kind: 'close', boot: 8, session }, 'boot'],
  ] as const) {
    const before = gate.refused[refusal];
    t.equal(judged(gate, message, 1000, retained), refusal);
    t.equal(gate.refused[refusal], before + 1);
  }
  t.equal(judged(gate, ask({ sequence: 5 })), 'obeyed', 'nothing of that counted');
});

t.test('a session that is over is over', async t => {
  const gate = opened();
  gate.close(session);
  t.equal(judged(gate, ask()), 'session');
});

t.test('who was silent for longest is forgotten when there are too many', async t => {
  const gate = opened();
  for (let other = 100; other < 131; other++) t.equal(gate.open(other), undefined);
  t.equal(judged(gate, ask()), 'obeyed', 'who speaks stays');
  t.equal(gate.open(200), 100);
  t.equal(judged(gate, ask({ session: 100 })), 'session');
  t.equal(judged(gate, ask()), 'obeyed');
});

t.test('a chunk is of a known session, and what its digest says', async t => {
  const gate = opened();
  const judgedChunk = (message: object, retained = false) =>
    gate.judgeChunk({ payload: JSON.stringify(message), retained });
  const good = judgedChunk(chunkOf('bytes'));
  t.equal(good.message?.bytes.toString(), 'bytes');
  t.notOk('refusal' in good);
  t.match(judgedChunk(chunkOf('bytes'), true), { refusal: 'retained' });
  t.match(judgedChunk(chunkOf('bytes', { digest: sha256('bites') })), { refusal: 'malformed' });
  t.match(judgedChunk(chunkOf('bytes', { sha256: '../x' })), { refusal: 'malformed' });
  t.match(judgedChunk(chunkOf('bytes', { boot: 8 })), { refusal: 'boot' });
  t.match(judgedChunk(chunkOf('bytes', { session: 12 })), { refusal: 'session' });
  t.match(judgedChunk(chunkOf('b'.repeat(10_000))), { refusal: 'malformed' }, 'more than a chunk has');
});
