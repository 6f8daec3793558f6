import { KitError } from '@sim2servo/models/error';
import fc from 'fast-check';
import t from 'tap';
import { parseIntelHex } from '../src/intel-hex.js';

const record = (address: number, type: number, data: readonly number[]): string => {
  const bytes = [data.length, address >> 8, address & 255, type, ...data];
  const sum = -bytes.reduce((a, b) => a + b, 0) & 255;
  return `:${Buffer.from([...bytes, sum])
    .toString('hex')
    .toUpperCase()}`;
};
const end = record(0, 1, []);

/** The message of the refusal; what is not refused is no message. */
function refusal(text: string, capacity = 64): string {
  try {
    parseIntelHex(text, capacity);
    return 'it was taken';
  } catch (error) {
    if (!(error instanceof KitError) || error.code !== 'E_HEX') throw error;
    return error.message;
  }
}

t.test('the example of the format lands where it says', async t => {
  /* Intel's own example record: 16 bytes at 0100h. */
  const memory = parseIntelHex(`:10010000214601360121470136007EFE09D2190140\n${end}\n`, 1024);
  t.equal(Buffer.from(memory.subarray(0x100, 0x110)).toString('hex'), '214601360121470136007efe09d21901');
  t.ok(
    memory.subarray(0, 0x100).every(byte => byte === 0xff),
    'cells that nobody writes are erased',
  );
});

t.test('any memory written in any records comes back', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 32 }), (memory, step) => {
      const records: string[] = [];
      for (let at = 0; at < memory.length; at += step) records.push(record(at, 0, [...memory.subarray(at, at + step)]));
      const back = parseIntelHex([...records.reverse(), end].join('\r\n'), 512);
      return Buffer.compare(back.subarray(0, memory.length), memory) === 0;
    }),
  );
});

t.test('what follows the end record does not count', async t => {
  t.equal(parseIntelHex(`${end}\nnonsense`, 16).length, 16);
});

t.test('each mistake is named with its line', async t => {
  const good = record(0, 0, [1, 2]);
  t.match(refusal(`${good}\nhello\n${end}`), "line 2: 'hello' is no Intel HEX record");
  t.match(refusal(`${good.slice(0, -1)}0\n${end}`), 'line 1: the checksum is wrong');
  t.match(refusal(`:0300000001FC\n${end}`), 'line 1: the length is wrong');
  t.match(refusal(`${record(63, 0, [1, 2])}\n${end}`), "line 1: address 0x3f lies beyond the part's 64 bytes");
  t.match(refusal(`${record(0, 4, [0, 1])}\n${end}`), 'line 1: record type 4 is not used on this part');
  t.match(refusal(good), 'the end record is missing');
  t.match(refusal(''), 'the end record is missing');
});

t.test('a changed character is never taken for a good file', async () => {
  const text = `${record(0, 0, [1, 2, 3, 4])}\n${record(4, 0, [5, 6])}\n${end}`;
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom(...'0123456789ABCDEFG:'), (at, character) => {
      fc.pre(text[at] !== character && text[at] !== '\n');
      return refusal(`${text.slice(0, at)}${character}${text.slice(at + 1)}`) !== 'it was taken';
    }),
  );
});
