import fc from 'fast-check';
import t from 'tap';
import type { ByteStream } from '../src/byte-stream.js';
import { Stk500 } from '../src/stk500.js';
import { bytesOf, hexOf } from './support/vectors.js';
import { VirtualClock } from './support/virtual-clock.js';

/** A bootloader that answers each request, in order, with the hex given; what it was sent is kept as hex. */
function bootloader(answers: readonly string[]): {
  stk: Stk500;
  sent: string[];
  clock: VirtualClock;
  close: () => void;
} {
  const clock = new VirtualClock();
  const sent: string[] = [];
  const left = [...answers];
  let receive: (chunk: Uint8Array) => void = () => {};
  let close: (reason: Error | undefined) => void = () => {};
  const stream: ByteStream = {
    write: bytes => {
      sent.push(hexOf(bytes));
      const answer = left.shift();
      if (answer !== undefined) clock.after(1000, () => receive(bytesOf(answer)));
    },
    onData: to => {
      receive = to;
    },
    onClose: to => {
      close = to;
    },
    close: async () => {},
  };
  return { stk: new Stk500(stream, clock), sent, clock, close: () => close(undefined) };
}

t.test('requests are the bytes of AVR061: a command, its arguments, a space', async t => {
  const { stk, sent } = bootloader(['1410', '141e950f10', '1410', '1410', '1410', '1410', '14aabb10', '1410']);
  await stk.synchronise();
  t.equal(hexOf(await stk.readSignature()), '1e950f');
  await stk.enterProgramming();
  await stk.writePage(0x1280, Uint8Array.of(1, 0x20, 3, 4));
  t.equal(hexOf(await stk.readPage(0x80, 2)), 'aabb');
  await stk.leaveProgramming();
  t.same(sent, ['3020', '7520', '5020', '55400920', '640004460120030420', '55400020', '7400024620', '5120']);
});

t.test('it asks again until the answer comes, and drops what comes late', async t => {
  const { stk, sent, clock } = bootloader(['', '15', '0014', '14101410', '1410']);
  const startUs = clock.nowUs();
  await stk.synchronise();
  t.same(sent, ['3020', '3020', '3020', '3020']);
  t.ok(clock.nowUs() - startUs < 500_000);
  await stk.enterProgramming();
  t.equal(sent.at(-1), '5020');
});

t.test('data that looks like an answer is data', async t => {
  const { stk } = bootloader(['1410', '141410141010']);
  t.equal(hexOf(await stk.readPage(0, 4)), '14101410');
});

t.test('an answer that is short, long, out of step or a refusal is an error with its bytes', async t => {
  for (const answer of ['14', '15', '1411', '141010', '1014', '14001410']) {
    const { stk } = bootloader([answer]);
    await t.rejects(stk.enterProgramming(), {
      code: 'E_FLASH_REFUSED',
      message: `programming mode: the bootloader answered ${answer}`,
    });
  }
});

t.test('whatever a port says, every request ends, in success or in words', async () => {
  const soup = fc.uint8Array({ maxLength: 12 }).map(hexOf);
  await fc.assert(
    fc.asyncProperty(fc.array(soup, { maxLength: 30 }), async answers => {
      const { stk } = bootloader(answers);
      try {
        await stk.synchronise();
        await stk.readSignature();
        await stk.readPage(0, 8);
        return true;
      } catch (error) {
        return (
          error instanceof Error && 'code' in error && /^E_(NO_BOOTLOADER|FLASH_REFUSED)$/.test(String(error.code))
        );
      }
    }),
    { numRuns: 300 },
  );
});

t.test('a port that closes ends the request that waits, and those that come after', async t => {
  const { stk, clock, close } = bootloader([]);
  clock.after(2000, close);
  const startUs = clock.nowUs();
  await t.rejects(stk.enterProgramming(), { code: 'E_PORT_CLOSED', message: 'the port has gone' });
  t.equal(clock.nowUs() - startUs, 2000, 'at once');
  await t.rejects(stk.leaveProgramming(), { code: 'E_PORT_CLOSED' });
});
