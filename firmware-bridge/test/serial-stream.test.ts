import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openSerial } from '../src/serial-stream.js';
import { EchoingPort, hasPseudoTerminals } from './support/pseudo-terminal.js';

/** Arguments for a node that opens `path`, says `open` or the code and hint of the error, and goes on with `then`. */
function opener(path: string, then = 'process.exit();'): string[] {
  const source = JSON.stringify(new URL('../src/serial-stream.js', import.meta.url).href);
  return [
    '--input-type=module',
    '-e',
    `const { openSerial } = await import(${source});
     await openSerial(${JSON.stringify(path)}, 115200).then(
       () => console.log('open'),
       error => console.log(error.code, '|', error.hint),
     );
     ${then}`,
  ];
}

t.test('a port that is absent is said to be absent, with what to do', async t => {
  await t.rejects(openSerial('/dev/no-such-port', 500_000), {
    code: 'E_PORT_ABSENT',
    message: 'there is no port /dev/no-such-port',
    hint: /plug the board in|found: /,
    exit: 'noDevice',
  });
});

t.test('a file or a folder is no serial port, and neither is a device of another kind', async t => {
  const file = join(t.testdir(), 'port');
  writeFileSync(file, '');
  for (const path of [file, t.testdirName])
    await t.rejects(openSerial(path, 500_000), { code: 'E_PORT_KIND', message: `${path} is not a serial port` });
  await t.rejects(openSerial('/dev/null', 500_000), { code: 'E_PORT_OPEN', message: /^can't open \/dev\/null: / });
});

if (!hasPseudoTerminals) t.comment('no Python with pty here: an open port is tested by hil-tests only');
else {
  t.test('bytes go out and come in as they are', async t => {
    const port = await EchoingPort.open();
    const stream = await openSerial(port.path, 500_000);
    const sent = Uint8Array.from({ length: 256 }, (_, i) => 255 - i);
    const received: number[] = [];
    const whole = new Promise<void>(resolve => {
      stream.onData(chunk => {
        received.push(...chunk);
        if (received.length >= sent.length) resolve();
      });
    });
    stream.write(sent);
    await whole;
    t.same(received, [...sent], 'no byte is taken for a control character');
    await stream.close();
    await port.unplug();
  });

  t.test('a port that we have is refused to a second opener, and free again after closing', async t => {
    const port = await EchoingPort.open();
    const first = await openSerial(port.path, 115_200);
    await t.rejects(openSerial(port.path, 115_200), { code: 'E_PORT_BUSY', exit: 'noDevice' });
    await first.close();
    await (await openSerial(port.path, 115_200)).close();
    await port.unplug();
  });

  t.test('where another process has it, that process is named', async t => {
    const port = await EchoingPort.open();
    const other = spawn(process.execPath, opener(port.path, 'process.stdin.resume();'));
    await once(other.stdout, 'data');
    await t.rejects(openSerial(port.path, 115_200), {
      code: 'E_PORT_BUSY',
      message: new RegExp(`^${port.path} is in use by process ${other.pid} \\(.+\\)$`),
    });
    const exit = once(other, 'exit');
    other.kill('SIGKILL');
    await exit;
    await (await openSerial(port.path, 115_200)).close();
    t.pass('a killed owner leaves no lock behind');
    await port.unplug();
  });

  t.test('a cable that is pulled ends the stream with a reason; closing it ourselves ends it without', async t => {
    const port = await EchoingPort.open();
    const stream = await openSerial(port.path, 115_200);
    stream.onData(() => {});
    const pulled = new Promise<Error | undefined>(resolve => stream.onClose(resolve));
    await port.unplug();
    t.type(await pulled, Error);
    stream.write(Uint8Array.of(1));
    await stream.close();

    const next = await EchoingPort.open();
    const own = await openSerial(next.path, 115_200);
    const closed = new Promise<Error | undefined>(resolve => own.onClose(resolve));
    await own.close();
    t.equal(await closed, undefined);
    await next.unplug();
  });

  t.test('a port that belongs to somebody else is said to be forbidden, with the command that mends it', async t => {
    const port = await EchoingPort.open();
    chmodSync(port.path, 0);
    /* Nothing is forbidden to root, so root asks as nobody. */
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const { stdout, stderr } = spawnSync(process.execPath, opener(port.path), { ...nobody, encoding: 'utf8' });
    if (/EACCES.*(dist|node_modules)|ERR_MODULE_NOT_FOUND/.test(stderr)) {
      t.comment('not shown: nobody but root may read this checkout');
      t.equal(process.getuid?.(), 0);
    } else t.match(stdout, /^E_PORT_PERMISSION \| sudo usermod -aG dialout/);
    await port.unplug();
  });

  t.test('a port without a reset line says so instead of waiting for a bootloader, and is given back', async t => {
    const port = await EchoingPort.open();
    await t.rejects(openSerial(port.path, 115_200, { reset: true }), { code: 'E_PORT_RESET', exit: 'noDevice' });
    await (await openSerial(port.path, 115_200)).close();
    await port.unplug();
  });
}
