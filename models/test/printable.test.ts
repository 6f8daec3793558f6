import t from 'tap';
import { printable, unprintable } from '../src/printable.js';

t.test('words of any language may be shown', async t => {
  for (const text of ['', 'so101-reach', 'Größe 0,5°', 'ロボット', 'sequence:1\tfile:x', '🦾', 'a b'])
    t.notMatch(text, unprintable, text);
});

t.test('what would move the cursor, break the line or turn the direction may not', async t => {
  for (const code of [
    0x00, 0x07, 0x0a, 0x0d, 0x1b, 0x7f, 0x85, 0x9b, 0x200b, 0x200f, 0x2028, 0x2029, 0x202e, 0x2066, 0xfeff, 0xd800,
  ])
    t.match(`a${String.fromCharCode(code)}b`, unprintable, code.toString(16));
});

t.test('a dot stands for each of them', async t => {
  t.equal(printable('red\u001b[31m\nÖl\t\u202eok'), 'red·[31m·Öl\t·ok');
});
