import type { Command, Refusal } from '@sim2servo/models/bridge-messages';
import fc from 'fast-check';
import t from 'tap';
import { CommandGate } from '../../src/mqtt/command-gate.js';

const boot = 77;
const head = { boot, session: 5, sequence: 1, sampleUs: 1_000_000, ttlMs: 100, hostUs: 0 };
const motion = (over: Partial<Command> = {}) => ({ kind: 'motion', ...head, targetsRad: [0, 1], ...over }) as Command;
const arm = (over: object = {}) => ({ kind: 'arm', ...head, host: 'desk', ...over }) as Command;

/** A gate that has sent the sample at 1 s, armed for session 5 unless said otherwise. */
function gateWith(session = 5): CommandGate {
  const gate = new CommandGate(boot, 2, 100);
  gate.sampled(1_000_000);
  if (session !== 0) gate.begin(arm({ session, sequence: 0 }), 1_000_000);
  return gate;
}

const says = (gate: CommandGate, command: object | string, nowUs = 1_010_000, retained = false): Refusal | 'obeyed' => {
  const payload = typeof command === 'string' ? command : JSON.stringify(command);
  const judgement = gate.judge({ payload, retained }, nowUs);
  return 'refusal' in judgement ? judgement.refusal : 'obeyed';
};

t.test('a motion of this session that answers a fresh sample is let through', async t => {
  const gate = gateWith();
  t.equal(says(gate, motion()), 'obeyed');
  t.equal(gate.obeyed, 1);
  t.equal(gate.expiresUs, 1_100_000, 'it counts for its time to live after the sample');
});

t.test('a retained command is refused, whatever it says', async t => {
  t.equal(says(gateWith(), motion(), 1_010_000, true), 'retained');
  t.equal(says(gateWith(0), arm(), 1_010_000, true), 'retained');
  t.equal(says(gateWith(), { kind: 'hold', ...head }, 1_010_000, true), 'retained');
});

t.test('what is no command is refused', async t => {
  const gate = gateWith();
  const wrong: (object | string)[] = [
    '',
    'hold',
    'null',
    '[]',
    '{}',
    motion({ targetsRad: [0] }),
    motion({ targetsRad: [0, 1, 2] }),
    { ...motion(), targetsRad: [0, null] },
    { ...motion(), targetsRad: [0, 'NaN'] },
    { ...motion(), colour: 'red' },
    { ...motion(), sequence: -1 },
    { ...motion(), kind: 'jump' },
    JSON.stringify(motion()).replace('[0,1]', '[0,1e999]'),
  ];
  for (const command of wrong) t.equal(says(gate, command), 'malformed', JSON.stringify(command));
  t.equal(gate.refused.malformed, wrong.length);
});

t.test('a command for an earlier life of the bridge is refused, as the clock began anew with this one', async t => {
  t.equal(says(gateWith(), motion({ boot: 76 })), 'boot');
});

t.test('a command is stale once its time to live is over, by the bridge’s clock alone', async t => {
  t.equal(says(gateWith(), motion(), 1_100_000), 'obeyed', 'to the last microsecond');
  t.equal(says(gateWith(), motion(), 1_100_001), 'stale');
  t.equal(says(gateWith(), motion({ ttlMs: 20 }), 1_020_001), 'stale', 'the host may want less');
  t.equal(says(gateWith(), motion({ ttlMs: 10_000 }), 1_100_001), 'stale', 'but no more than the bridge allows');
  t.equal(says(gateWith(), motion({ sampleUs: 1_000_001 })), 'stale', 'nor a sample that never was');
  t.equal(says(gateWith(0), arm(), 1_200_000), 'stale', 'an arming neither');
  t.equal(says(gateWith(0), { kind: 'relax', ...head }, 1_200_000), 'stale', 'nor a relax');
});

t.test('a sequence that is not newer is refused: replayed, or overtaken', async t => {
  const gate = gateWith();
  t.equal(says(gate, motion({ sequence: 4 })), 'obeyed');
  t.equal(says(gate, motion({ sequence: 4 })), 'sequence');
  t.equal(says(gate, motion({ sequence: 3 })), 'sequence');
  t.equal(says(gate, motion({ sequence: 9 })), 'obeyed', 'a gap is none of our business');
});

t.test('motion needs a session that is alive', async t => {
  t.equal(says(gateWith(0), motion()), 'session', 'never armed');
  t.equal(says(gateWith(6), motion()), 'session', 'of the one before');
  const gate = gateWith();
  gate.end();
  t.equal(says(gate, motion({ sequence: 100 })), 'session', 'ended');
  t.equal(says(gate, arm({ sequence: 101 })), 'session', 'and it can not be armed again under the same number');
  t.equal(says(gate, arm({ session: 0 })), 'session');
  t.equal(says(gate, arm({ session: 6 })), 'obeyed');
});

t.test('a second host is refused while the first one’s session is alive', async t => {
  const gate = gateWith();
  t.equal(says(gate, arm({ session: 6 })), 'busy');
  t.equal(says(gate, { kind: 'relax', ...head, session: 6 }), 'busy', 'it can not let the arm fall');
  t.equal(says(gate, { kind: 'hold', ...head, session: 0 }), 'busy', 'nor hold it: there is the stop topic for that');
  gate.end();
  t.equal(says(gate, arm({ session: 6 })), 'obeyed');
});

t.test('what was let through before somebody else armed is no longer', async t => {
  const gate = gateWith(0);
  t.equal(says(gate, arm()), 'obeyed');
  t.equal(says(gate, arm({ session: 6 })), 'obeyed', 'nobody has armed yet');
  gate.begin(arm(), 1_010_000);
  t.ok(gate.stillFor(arm()));
  t.notOk(gate.stillFor(arm({ session: 6 })));
  t.equal(gate.refused.busy, 1);
});

t.test('a hold of the session is never too old', async t => {
  t.equal(says(gateWith(), { kind: 'hold', ...head }, 9_000_000), 'obeyed');
});

t.test('whatever comes in whatever order: only a fresh, newer motion of the living session moves', async () => {
  const anything = fc.record({
    boot: fc.constantFrom(boot, 1),
    session: fc.integer({ min: 0, max: 7 }),
    sequence: fc.integer({ min: 0, max: 20 }),
    sampleUs: fc.integer({ min: 800_000, max: 1_100_000 }),
    ttlMs: fc.integer({ min: 1, max: 300 }),
    retained: fc.boolean(),
    nowUs: fc.integer({ min: 1_000_000, max: 1_200_000 }),
  });
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 40 }), commands => {
      const gate = gateWith();
      let newest = 0;
      for (const { retained, nowUs, ...over } of commands) {
        if (says(gate, motion(over), nowUs, retained) !== 'obeyed') continue;
        if (retained || over.boot !== boot || over.session !== 5 || over.sequence <= newest) return false;
        if (over.sampleUs > 1_000_000 || nowUs - over.sampleUs > 100_000) return false;
        newest = over.sequence;
      }
      return true;
    }),
  );
});
