import { setTimeout as sleep } from 'node:timers/promises';
import type { ByteStream } from '@sim2servo/firmware-bridge/byte-stream';
import { baudRates as dynamixelRates } from '@sim2servo/firmware-bridge/dynamixel/registers';
import { baudRates as feetechRates } from '@sim2servo/firmware-bridge/feetech/registers';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import t from 'tap';
import { PseudoTerminal, type TerminalEvent } from '../../src/rig/pseudo-terminal.js';

/** Polls until `enough` says so; each look's event is kept. */
async function pollUntil(
  terminal: PseudoTerminal,
  enough: () => boolean,
): Promise<{ events: TerminalEvent[]; bytes: number[] }> {
  const events: TerminalEvent[] = [];
  const bytes: number[] = [];
  for (let i = 0; i < 500 && !enough(); i++) {
    const event = terminal.poll(chunk => bytes.push(...chunk));
    if (event !== undefined) events.push(event);
    await sleep(2);
  }
  return { events, bytes };
}

const received = (stream: ByteStream): number[] => {
  const bytes: number[] = [];
  stream.onData(chunk => bytes.push(...chunk));
  return bytes;
};

t.test(
  'a pseudo-terminal is a serial port',
  { skip: process.platform !== 'linux' && 'pseudo-terminals of this kind need Linux' },
  async t => {
    const terminal = await PseudoTerminal.open();
    t.match(terminal.path, /^\/dev\/pts\/\d+$/);

    await t.test('what is written while nobody has it open is lost, as on a wire', async t => {
      terminal.write(Uint8Array.of(9, 9, 9));
      t.equal(
        terminal.poll(() => t.fail('nobody has written')),
        undefined,
      );
    });

    await t.test('opening shows once; all 256 byte values pass both ways as they are; closing shows', async t => {
      const port = await openSerial(terminal.path, 500_000);
      const heard = received(port);
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      port.write(all);
      let looks = 0;
      const { events, bytes } = await pollUntil(terminal, () => ++looks > 20);
      t.same(events, ['opened']);
      t.same(bytes, [...all]);
      terminal.write(all);
      await pollUntil(terminal, () => heard.length >= 256);
      t.same(heard, [...all], 'and nothing of before');
      await port.close();
      looks = 0;
      t.same((await pollUntil(terminal, () => ++looks > 20)).events, ['closed']);
    });

    await t.test('it can be opened again', async t => {
      const port = await openSerial(terminal.path, 500_000);
      let looks = 0;
      t.same((await pollUntil(terminal, () => ++looks > 20)).events, ['opened']);
      await port.close();
    });

    await t.test('it knows the rate of whoever has it open, also one that has no name in the kernel', async t => {
      for (const baudRate of [...new Set([...feetechRates, ...dynamixelRates])]) {
        const port = await openSerial(terminal.path, baudRate);
        t.equal(terminal.baudRate, baudRate);
        await port.close();
      }
    });

    await t.test('a cable that is pulled closes the port of whoever has it open, with a reason', async t => {
      const port = await openSerial(terminal.path, 500_000);
      const closed = new Promise<Error | undefined>(resolve => port.onClose(resolve));
      port.onData(() => {});
      terminal.hangUp();
      t.ok((await closed) instanceof Error);
    });
  },
);
