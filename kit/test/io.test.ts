/** What the program itself asks of a person at a terminal: a process whose stdin is one. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { PseudoTerminal } from '@sim2servo/hil-tests/rig/pseudo-terminal';
import t from 'tap';
import { needsLinux } from './test-io.js';

/** A process that asks for a line, or for what nobody shall see; `act` is what happens once it asks. @returns what it said */
async function asked(
  act: (terminal: PseudoTerminal, pid: number) => void,
  { how = 'line', shown = () => {} }: { how?: 'line' | 'secret'; shown?: (bytes: Uint8Array) => void } = {},
): Promise<string> {
  const terminal = await PseudoTerminal.open();
  const stdin = openSync(terminal.path, 'r+');
  const reading = setInterval(() => terminal.poll(shown), 10);
  const io = JSON.stringify(new URL('../src/io.js', import.meta.url).href);
  const script = `
    const { processIo } = await import(${io});
    const abort = new AbortController();
    process.on('SIGINT', () => abort.abort());
    await processIo.${how}('ready? ', abort.signal).then(
      line => console.log(JSON.stringify(line)),
      error => console.log(error.code),
    );`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: [stdin, 'pipe', 'pipe'] });
  closeSync(stdin);
  let said = '';
  let begun = false;
  child.stdout!.on('data', chunk => {
    said += chunk;
  });
  child.stderr!.on('data', chunk => {
    if (begun || !String(chunk).includes('ready?')) return;
    begun = true;
    act(terminal, child.pid!);
  });
  await new Promise(resolve => child.once('close', resolve));
  clearInterval(reading);
  terminal.poll(shown);
  terminal.hangUp();
  return said.trim();
}

t.test(
  'a line is what was typed, Enter alone is an empty one, and Ctrl-C is an error of its own',
  needsLinux,
  async t => {
    const type = (text: string) => (terminal: PseudoTerminal) => terminal.write(new TextEncoder().encode(text));
    t.equal(await asked(type('w\n')), '"w"');
    t.equal(await asked(type('\n')), '""');
    t.equal(await asked((_, pid) => process.kill(pid, 'SIGINT')), 'E_INTERRUPTED');
  },
);

t.test('of what nobody shall see the terminal shows nothing, and it is taken as it was typed', needsLinux, async t => {
  const shown: number[] = [];
  const show = (bytes: Uint8Array) => void shown.push(...bytes);
  const type = (text: string) => (terminal: PseudoTerminal) => terminal.write(new TextEncoder().encode(text));
  t.equal(await asked(type(' pass wörd \r'), { how: 'secret', shown: show }), '" pass wörd "');
  t.equal(await asked(type('wrogn\x7f\x7fng\r'), { how: 'secret', shown: show }), '"wrong"', 'keys can be taken back');
  t.notMatch(Buffer.from(shown).toString(), /[a-z]/, 'nothing came back');
  t.equal(await asked(type('x\x03'), { how: 'secret' }), 'E_INTERRUPTED');
  t.equal(await asked((_, pid) => process.kill(pid, 'SIGINT'), { how: 'secret' }), 'E_INTERRUPTED');
  await asked(type('seen\n'), { shown: show });
  t.match(Buffer.from(shown).toString(), /seen/, 'as a line that may be seen does');
});

t.test('where stdin is no terminal nobody is asked', async t => {
  const io = JSON.stringify(new URL('../src/io.js', import.meta.url).href);
  const script = `const { processIo } = await import(${io}); const { signal } = new AbortController(); console.log(String((await processIo.line('?', signal)) ?? (await processIo.secret('?', signal))));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout!.on('data', chunk => {
    said += chunk;
  });
  await new Promise(resolve => child.once('close', resolve));
  t.equal(said.trim(), 'undefined');
});
