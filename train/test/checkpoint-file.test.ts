import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { decodeCheckpoint, encodeCheckpoint, readCheckpoint, writeCheckpoint } from '../src/checkpoint-file.js';

const plain = fc.letrec(tie => ({
  node: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.float32Array(),
    fc.float64Array(),
    fc.uint8Array(),
    fc.int32Array(),
    fc.array(tie('node')),
    fc.dictionary(
      fc.string().filter(key => !key.startsWith('$') && key !== '__proto__'),
      tie('node'),
    ),
  ),
})).node;

t.test('any tree of plain values and typed arrays comes back as it was, to the bit', t => {
  fc.assert(
    fc.property(plain, value => {
      const back = decodeCheckpoint(encodeCheckpoint(value));
      return encodeCheckpoint(back).equals(encodeCheckpoint(value)) && same(back, value);
    }),
  );
  t.end();
});

function same(a: unknown, b: unknown): boolean {
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
    const bytes = (view: ArrayBufferView) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
    return a.constructor === b.constructor && bytes(a).equals(bytes(b));
  }
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => same(item, b[i]));
  if (a !== null && b !== null && typeof a === 'object' && typeof b === 'object') {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every(key => same(Reflect.get(a, key), Reflect.get(b, key)));
  }
  return Object.is(a, b);
}

t.test('numbers that JSON has no word for survive', t => {
  const back = decodeCheckpoint(
    encodeCheckpoint({ best: Number.NEGATIVE_INFINITY, none: Number.NaN, zero: -0, gone: undefined }),
  ) as Record<string, number>;
  t.ok(Object.is(back.best, Number.NEGATIVE_INFINITY) && Object.is(back.none, Number.NaN) && Object.is(back.zero, -0));
  t.notOk('gone' in back);
  t.end();
});

t.test('an array that is a window of a larger buffer is stored as the window', t => {
  const window = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
  t.strictSame(decodeCheckpoint(encodeCheckpoint({ window })), { window: Float32Array.of(2, 3) });
  t.end();
});

t.test('a file with any one byte changed, or cut anywhere, is refused', t => {
  const bytes = encodeCheckpoint({ step: 7, weights: Float32Array.of(1, 2, 3) });
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 0x10;
    t.throws(() => decodeCheckpoint(changed), { code: 'E_CHECKPOINT_DAMAGED' });
    t.throws(() => decodeCheckpoint(bytes.subarray(0, at)), { code: 'E_CHECKPOINT_DAMAGED' });
  }
  t.end();
});

t.test('what a checkpoint cannot hold is named by its path', t => {
  t.throws(() => encodeCheckpoint({ a: [{ b: () => 1 }] }), {
    code: 'E_CHECKPOINT_VALUE',
    message: /checkpoint\.a\[0\]\.b is a function/,
  });
  t.throws(() => encodeCheckpoint({ m: new Map() }), { code: 'E_CHECKPOINT_VALUE', message: /checkpoint\.m is a Map/ });
  t.throws(() => encodeCheckpoint({ big: new BigInt64Array(1) }), {
    code: 'E_CHECKPOINT_VALUE',
    message: /BigInt64Array/,
  });
  t.end();
});

t.test('writing replaces the file as a whole, and a failed write leaves the old one', t => {
  const folder = t.testdir({});
  const path = join(folder, 'a.ckpt');
  writeCheckpoint(path, { step: 1 });
  writeCheckpoint(path, { step: 2 });
  t.strictSame(readCheckpoint(path), { step: 2 });
  t.strictSame(readdirSync(folder), ['a.ckpt'], 'nothing is left beside it');
  const target = join(folder, 'taken');
  mkdirSync(join(target, 'inside'), { recursive: true });
  t.throws(() => writeCheckpoint(target, { step: 3 }), { code: 'E_CHECKPOINT_WRITE' });
  t.ok(existsSync(join(target, 'inside')));
  t.throws(() => writeCheckpoint(join(folder, 'absent', 'x.ckpt'), 1), { code: 'E_CHECKPOINT_WRITE' });
  t.end();
});

t.test('an absent file and a foreign one say what to do', t => {
  const folder = t.testdir({});
  t.throws(() => readCheckpoint(join(folder, 'none.ckpt')), { code: 'E_CHECKPOINT_MISSING' });
  writeFileSync(join(folder, 'foreign'), 'hello');
  t.throws(() => readCheckpoint(join(folder, 'foreign')), {
    code: 'E_CHECKPOINT_DAMAGED',
    message: /is no checkpoint/,
  });
  t.equal(readFileSync(join(folder, 'foreign'), 'utf8'), 'hello');
  t.end();
});
