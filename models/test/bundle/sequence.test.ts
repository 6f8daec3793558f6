import fc from 'fast-check';
import t from 'tap';
import { sequenceAfter, sequenceComment, sequenceOf } from '../../src/bundle/sequence.js';

t.test('ours is read as it stands, minisign’s own timestamp in milliseconds', async t => {
  t.equal(sequenceOf('sequence:1700000000001'), 1_700_000_000_001);
  t.equal(sequenceOf('timestamp:1700000000\tfile:policy.json\thashed'), 1_700_000_000_000);
  t.equal(sequenceOf('timestamp:1700000000\tsequence:5'), 5, 'where both stand, ours counts');
  t.equal(sequenceOf('sequence:0'), 0);
});

t.test('what we write is read as what was meant', async t => {
  fc.assert(fc.property(fc.maxSafeNat(), sequence => sequenceOf(sequenceComment(sequence)) === sequence));
  t.pass();
});

t.test('a comment without a number, with two, or with one that is none, is refused', async t => {
  for (const comment of [
    '',
    'hello',
    'sequence:',
    'sequence:-1',
    'sequence:1.5',
    'sequence:1e3',
    'sequence: 1',
    'sequence:9007199254740993',
    'sequence:1\tsequence:2',
    'timestamp:1\ttimestamp:2',
    'timestamp:99999999999999',
    'file:sequence:5',
    'a sequence:5',
  ])
    t.throws(() => sequenceOf(comment), { code: 'E_SIGNATURE_SEQUENCE', hint: /kit keys sign/ }, comment);
  t.throws(
    () => sequenceOf('timestamp:1\tsequence:x'),
    { code: 'E_SIGNATURE_SEQUENCE' },
    'the timestamp is no way out',
  );
});

t.test('the next one is the time, and always higher than the last, wherever the clock stands', async t => {
  t.equal(sequenceAfter(0, 1_700_000_000_000.7), 1_700_000_000_000);
  t.equal(sequenceAfter(1_700_000_000_000, 1_700_000_000_000), 1_700_000_000_001);
  t.equal(sequenceAfter(1_700_000_000_000, 0), 1_700_000_000_001, 'a clock that was set back by years');
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 2 }), clock => {
      const given = [0];
      for (const now of clock) given.push(sequenceAfter(given.at(-1)!, now));
      return given.every((sequence, i) => i === 0 || sequence > given[i - 1]!);
    }),
  );
});
