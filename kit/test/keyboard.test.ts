import { PassThrough } from 'node:stream';
import t from 'tap';
import { type KeyInput, openKeyboard } from '../src/keyboard.js';
import { memoryTerminal as terminal } from './test-io.js';

function keyboard(input: KeyInput) {
  const said: string[] = [];
  const close = openKeyboard(input, { press: key => said.push(key), interrupt: () => said.push('INTERRUPT') });
  return { said, close };
}

const turn = () => new Promise(resolve => setImmediate(resolve));

t.test('keys come one by one, by name where they have one', async t => {
  const input = terminal();
  const { said, close } = keyboard(input);
  t.same(input.modes, [true]);
  input.write('1Q\r');
  input.write('\x7f');
  await turn();
  t.same(said, ['1', 'q', 'enter', 'backspace']);
  close();
  t.same(input.modes, [true, false], 'the terminal is itself again');
  input.write('w');
  await turn();
  t.equal(said.length, 4, 'and nobody listens any more');
});

t.test('Ctrl-C interrupts, also among other keys and behind an arrow that is held', async t => {
  for (const text of ['\x03', '111\x03', '\x1b[A\x1b[A\x03']) {
    const input = terminal();
    const { said, close } = keyboard(input);
    input.write(text);
    await turn();
    t.same(said, ['INTERRUPT']);
    close();
  }
});

t.test("arrows are no keys, nor are a sequence's letters", async t => {
  const input = terminal();
  const { said, close } = keyboard(input);
  input.write('\x1b[A');
  input.write('1\x1bOA');
  await turn();
  t.same(said, ['1']);
  close();
});

t.test('a terminal that has gone interrupts', async t => {
  const input = terminal();
  const { said, close } = keyboard(input);
  input.end();
  await turn();
  t.same(said, ['INTERRUPT']);
  close();
});

t.test('what is no terminal has no keys', async t => {
  t.throws(() => keyboard(new PassThrough()), { code: 'E_NO_KEYBOARD', exit: 'usage' });
});
