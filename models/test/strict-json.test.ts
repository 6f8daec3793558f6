import fc from 'fast-check';
import t from 'tap';
import { z } from 'zod';
import { parseStrictJson, utf8Of } from '../src/strict-json.js';

const read = (text: string | Uint8Array) => parseStrictJson(Buffer.from(text), z.unknown(), 'manifest x');

t.test('JSON that leaves nothing open is read as by any parser', async t => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), text => {
      fc.pre(!text.includes('__proto__'));
      t.same(read(text), JSON.parse(text));
    }),
  );
  t.same(read('{"a":{"a":1},"b":[{"a":1},{"a":2}],"c":"a"}'), { a: { a: 1 }, b: [{ a: 1 }, { a: 2 }], c: 'a' });
  t.same(read('["a","a",{"}":"{"},"[[[[[[[[[[[[[[[[[[["]'), ['a', 'a', { '}': '{' }, '[[[[[[[[[[[[[[[[[[[']);
});

t.test('a key that stands twice in one object is refused, however it is written and however deep', async t => {
  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"b":{"x":[1,{"y":","}]},"a":2}',
    '{"a":1,"\\u0061":2}',
    '[[{"b":{"\\"":1,"\\u0022":2}}]]',
    '{ "a" : "b" ,\n"a" : "c" }',
  ])
    t.throws(
      () => read(text),
      { code: 'E_JSON_KEY', exit: 'usage', message: /manifest x holds the key .* twice/ },
      text,
    );
});

t.test('a key that names the prototype is refused: readers differ in whether they see it', async t => {
  for (const text of ['{"__proto__":{}}', '{"a":[{"\\u005f_proto__":1}]}'])
    t.throws(() => read(text), { code: 'E_JSON_KEY', message: /__proto__/ }, text);
  t.same(read('["__proto__"]'), ['__proto__'], 'a value may say it');
});

t.test('what is nested deeper than any record of ours is refused, and exhausts nobody’s stack', async t => {
  const nested = (depth: number, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth);
  t.doesNotThrow(() => read(nested(16)));
  for (const text of [nested(17), nested(100_000), `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`])
    t.throws(() => read(text), { code: 'E_JSON_DEPTH', message: /deeper than 16 levels/ });
});

t.test('what is no JSON, or does not fit the schema, is refused as anywhere', async t => {
  for (const text of ['', '{"a":1,}', '{"a":1', '{"a":1}}', '{a:1}', "{'a':1}"])
    t.throws(() => read(text), { code: 'E_FILE_JSON', message: /manifest x is not JSON/ }, text);
  t.throws(() => parseStrictJson(Buffer.from('{"a":1}'), z.strictObject({}), 'x'), { code: 'E_FILE_SCHEMA' });
});

t.test('bytes that are no UTF-8 are refused: a lenient reader takes many files for one text', async t => {
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0x22, 0xc3, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
  ])
    t.throws(() => read(Uint8Array.from(bytes)), { code: 'E_FILE_JSON', message: /not UTF-8/ });
  t.throws(() => read('\ufeff{}'), { code: 'E_FILE_JSON' }, 'nor is a mark before it skipped');
  t.equal(utf8Of(Buffer.from('0.5°'), 'x'), '0.5°');
});

t.test('whatever the bytes are, they are read or refused in words', async t => {
  const characters = fc.string({ unit: fc.constantFrom(...'{}[],:"\\au0 '), maxLength: 40 });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), characters.map(Buffer.from)), bytes => {
      try {
        read(bytes);
        return true;
      } catch (error) {
        return /^E_(FILE|JSON)_/.test((error as { code: string }).code);
      }
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
