import { readFileSync } from 'node:fs';
import { KitError } from '@sim2servo/models/error';
import t, { type Test } from 'tap';
import { firmwareImage } from '../src/firmware-image.js';
import { flashBoard, flashBytes, pageBytes, programBytes } from '../src/flash.js';
import { parseIntelHex } from '../src/intel-hex.js';
import { EmulatedBootloader } from './support/emulated-bootloader.js';
import { VirtualClock } from './support/virtual-clock.js';

function program(bytes: number): Uint8Array {
  return new Uint8Array(flashBytes).fill(0xff).fill(0x5a, 0, bytes);
}

function bench(): { clock: VirtualClock; board: EmulatedBootloader; flash: (memory?: Uint8Array) => Promise<number> } {
  const clock = new VirtualClock();
  const board = new EmulatedBootloader(clock);
  return { clock, board, flash: (memory = program(300)) => flashBoard({ open: board.open, memory, clock }) };
}

async function failure(t: Test, promise: Promise<unknown>): Promise<KitError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof KitError)) throw new Error(`expected a KitError, got ${String(error)}`);
  t.ok(error.hint.length > 10, 'it says what to do next');
  return error;
}

t.test('the image of the kit is written, read back and started', async t => {
  const { clock, board } = bench();
  const memory = parseIntelHex(readFileSync(firmwareImage, 'utf8'), flashBytes);
  const seen: string[] = [];
  const bytes = await flashBoard({
    open: board.open,
    memory,
    clock,
    onProgress: (stage, done, total) => seen.push(`${stage} ${done}/${total}`),
  });
  t.same(board.memory, memory);
  t.equal(bytes % pageBytes, 0);
  t.equal(board.writes, bytes / pageBytes);
  t.ok(board.runs, 'the program was started');
  t.equal(board.closed, 1);
  t.equal(seen.length, 2 * board.writes);
  t.equal(seen[0], `write ${pageBytes}/${bytes}`);
  t.equal(seen.at(-1), `verify ${bytes}/${bytes}`);
});

t.test('the last page is filled up, and what lies behind it stays', async t => {
  const { board, flash } = bench();
  board.memory.fill(0x11);
  t.equal(await flash(program(300)), 384);
  t.same(board.memory.subarray(0, 300), new Uint8Array(300).fill(0x5a));
  t.same(board.memory.subarray(300, 384), new Uint8Array(84).fill(0xff));
  t.equal(board.memory[384], 0x11);
});

t.test('what the old program still says is not taken for an answer', async t => {
  const { board, flash } = bench();
  board.chatter(100, [1, 2, 0x14, 3, 0]);
  board.chatter(
    120_000,
    Array.from({ length: 200 }, (_, i) => i),
  );
  board.chatter(260_000, [0x10, 0x14]);
  await flash();
  t.equal(board.memory[299], 0x5a);
});

t.test('a bootloader that answers late is synchronised with before anything is asked', async t => {
  const { board, flash } = bench();
  board.deafUs = 1_500_000;
  await flash();
  t.ok(board.runs);
});

t.test('a port without a bootloader behind it is said to have none, and nothing was written', async t => {
  const { board, flash } = bench();
  board.deafUs = Number.POSITIVE_INFINITY;
  const error = await failure(t, flash());
  t.match(error, { code: 'E_NO_BOOTLOADER', exit: 'noDevice' });
  t.match(error.hint, '57600');
  t.equal(board.closed, 1, 'the port is given back');
});

t.test('another part is left alone', async t => {
  const { board, flash } = bench();
  board.signature = [0x1e, 0x98, 0x01];
  t.match(await failure(t, flash()), { code: 'E_WRONG_PART', message: /1e9801/ });
  t.equal(board.writes, 0);
});

t.test('a cell that does not keep what was written is found and named', async t => {
  const { board, flash } = bench();
  board.wornOut = 0x93;
  t.match(await failure(t, flash()), {
    code: 'E_FLASH_VERIFY',
    message: 'byte 0x93 reads 255 after 90 was written',
  });
  t.notOk(board.runs, 'a program that is wrong is not started');
});

t.test('an answer that stays away ends it with the address', async t => {
  const { board, flash } = bench();
  board.forgetAt = 2;
  t.match(await failure(t, flash()), {
    code: 'E_FLASH_REFUSED',
    message: 'writing 0x0080: the bootloader answered nothing',
  });
  t.equal(board.closed, 1);
});

t.test('a cable pulled while it writes is said at once', async t => {
  const { board, flash } = bench();
  board.unplugAt = 2;
  t.match(await failure(t, flash()), { code: 'E_PORT_CLOSED', message: 'the port has gone: EIO', exit: 'noDevice' });
});

t.test(
  'an image that would run into the bootloader, and an empty one, are refused before the port is opened',
  async t => {
    const { board, flash } = bench();
    t.match(await failure(t, flash(program(programBytes + 1))), { code: 'E_IMAGE_SIZE', message: /30721/ });
    t.match(await failure(t, flash(program(0))), { code: 'E_IMAGE_EMPTY' });
    t.equal(board.opened, 0);
    t.equal(await flash(program(programBytes)), programBytes);
  },
);
