import fc from 'fast-check';
import t from 'tap';
import { canonicalJson, sha256 } from '../src/digest.js';

t.test('SHA-256 is that of FIPS 180-2', async t => {
  t.equal(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  t.equal(sha256(new Uint8Array()), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

t.test('text is digested as UTF-8', async t => {
  t.equal(sha256('0.5°'), sha256(Buffer.from('0.5°', 'utf8')));
});

t.test('canonical JSON sorts keys at every depth and keeps the order of lists', async t => {
  t.equal(
    canonicalJson({ b: 1, a: { d: [{ z: 1, y: 2 }, 3], c: null } }),
    '{"a":{"c":null,"d":[{"y":2,"z":1},3]},"b":1}',
  );
});

t.test('canonical JSON holds the same content and does not depend on the order of keys', async t => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), record => {
      const reversed = Object.fromEntries(Object.entries(record).reverse());
      const text = canonicalJson(record);
      return text === canonicalJson(reversed) && canonicalJson(JSON.parse(text)) === text;
    }),
  );
  t.pass();
});
