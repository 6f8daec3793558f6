import t from 'tap';
import {
  bridgeMessagesSchema,
  commandSchema,
  decode,
  refusals,
  stateSchema,
  statusSchema,
  telemetrySchema,
  topicsOf,
} from '../src/bridge-messages.js';

const head = { boot: 1, session: 2, sequence: 3, sampleUs: 4, ttlMs: 100, hostUs: 5 };

t.test('topics of a robot lie under its name, which must be none of several topics', async t => {
  t.equal(topicsOf('left-2').command, 'kit/v1/left-2/command');
  t.equal(new Set(Object.values(topicsOf('a'))).size, 6);
  for (const name of ['', 'a/b', '+', '#']) t.throws(() => topicsOf(name), name);
});

t.test('every topic but stop, where anything goes, has a schema under its last word', async t => {
  const words = Object.values(topicsOf('a')).map(topic => topic.split('/').at(-1));
  t.same([...Object.keys(bridgeMessagesSchema.shape), 'stop'].sort(), words.sort());
});

t.test('what is read is what was written; anything else is undefined', async t => {
  const motion = { kind: 'motion', ...head, targetsRad: [0.5, -1] };
  t.same(decode(commandSchema, JSON.stringify(motion)), motion);
  t.same(decode(commandSchema, JSON.stringify({ kind: 'hold', ...head })), { kind: 'hold', ...head });
  const { ttlMs: _, ...timeless } = motion;
  const wrong = ['', '{', 'null', '[1]', '{"kind":"jump"}', timeless, { ...motion, more: 1 }, { ...motion, ttlMs: 0 }];
  for (const text of wrong)
    t.equal(decode(commandSchema, typeof text === 'string' ? text : JSON.stringify(text)), undefined);
});

t.test('no number that is none crosses: a target is refused, a measurement is null', async t => {
  const motion = JSON.stringify({ kind: 'motion', ...head, targetsRad: [Number.NaN, Number.POSITIVE_INFINITY] });
  t.equal(decode(commandSchema, motion), undefined);
  t.equal(decode(commandSchema, motion.replace('[null,null]', '[1e999,0]')), undefined);
  const state = {
    boot: 1,
    sample: 1,
    sampleUs: 1,
    sentUs: 2,
    session: 0,
    device: 'limp',
    reason: '',
    positionRad: [Number.NaN, 1],
    phaseUs: 0,
    periodUs: 20_000,
    linkErrors: 0,
    echo: null,
  };
  t.same(decode(stateSchema, JSON.stringify(state))?.positionRad, [null, 1]);
});

t.test('a status is online with what it serves, or offline with a reason', async t => {
  t.ok(decode(statusSchema, '{"state":"offline","boot":1,"reason":"it was ended"}'));
  t.notOk(decode(statusSchema, '{"state":"offline","boot":1}'));
  t.notOk(decode(statusSchema, '{"state":"online","boot":1}'));
});

t.test('telemetry counts every reason for a refusal', async t => {
  const refused = Object.fromEntries(refusals.map(reason => [reason, 0]));
  const telemetry = {
    boot: 1,
    time: new Date(0).toISOString(),
    device: 'held',
    reason: '',
    host: '',
    positionRad: { shoulder: null },
    obeyed: 0,
    refused,
    samples: 1,
    dropped: 0,
  };
  t.ok(decode(telemetrySchema, JSON.stringify(telemetry)));
  const { stale: _, ...fewer } = refused;
  t.notOk(decode(telemetrySchema, JSON.stringify({ ...telemetry, refused: fewer })));
});
