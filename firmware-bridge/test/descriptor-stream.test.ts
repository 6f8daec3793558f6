import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import t from 'tap';
import { openSerial } from '../src/serial-stream.js';
import { EchoingPort, hasPseudoTerminals } from './support/pseudo-terminal.js';

/** As many as Node's pool has threads, and one that waits for them. */
const jobs = 5;

if (!hasPseudoTerminals) t.comment('no Python with pty here: an open port is tested by hil-tests only');
else {
  t.test('bytes do not wait for the pool of threads', async t => {
    const port = await EchoingPort.open();
    const stream = await openSerial(port.path, 500_000);
    let poolBusy = true;
    const busy = Promise.all(
      Array.from({ length: jobs }, () => promisify(pbkdf2)('a', 'b', 1_000_000, 64, 'sha512')),
    ).then(() => {
      poolBusy = false;
    });
    const echo = new Promise<number[]>(resolve => stream.onData(chunk => resolve([...chunk])));
    stream.write(Uint8Array.of(1, 2, 3));
    t.same(await echo, [1, 2, 3]);
    t.ok(poolBusy, 'the pool had work all the time');
    await busy;
    await stream.close();
    await port.unplug();
  });

  t.test(
    'a port that takes no more bytes ends the stream with the reason, and what is written later is let go',
    async t => {
      const port = await EchoingPort.open();
      const stream = await openSerial(port.path, 500_000);
      const closed = new Promise<Error | undefined>(resolve => stream.onClose(resolve));
      port.freeze();
      for (let i = 0; i < 10_000; i++) stream.write(new Uint8Array(256));
      t.match((await closed)?.message, /took \d+ of 256 bytes|EAGAIN/);
      stream.write(Uint8Array.of(1));
      await stream.close();
      await port.unplug();
    },
  );

  t.test('whoever only listens is told at once that the cable is gone', async t => {
    const port = await EchoingPort.open();
    const stream = await openSerial(port.path, 500_000);
    let bytes = 0;
    stream.onData(chunk => {
      bytes += chunk.length;
    });
    const closed = new Promise<Error | undefined>(resolve => stream.onClose(resolve));
    await port.unplug();
    t.match((await closed)?.message, /dev.* has gone$/);
    t.equal(bytes, 0);
  });
}
