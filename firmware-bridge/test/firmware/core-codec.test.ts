import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { buildHostBoard, HostBoard } from '../support/host-board.js';
import { RawHost } from '../support/raw-host.js';
import { bytesOf, cobsVectors, crcVectors, frameVectors, hexOf } from '../support/vectors.js';

const program = buildHostBoard();

if (program === undefined) {
  t.comment('no C compiler or no make here: the C core is tested as the committed image by hil-tests instead');
  t.ok(cobsVectors.vectors.length > 0, 'the vectors are there, and the TypeScript codec passes them');
} else {
  t.test('the C core encodes and decodes the same COBS vectors', async t => {
    const board = new HostBoard(program);
    for (const { name, decoded, encoded, alsoDecodes } of cobsVectors.vectors) {
      t.same(await board.command(`cobs ${decoded}`), [encoded], `${name}: encoded`);
      /* The firmware's own frames are shorter than 255 bytes; so is the decoder's count of them. */
      if (decoded.length / 2 >= 255) continue;
      t.same(await board.command(`uncobs ${encoded}00`), [`frame ${decoded}`], `${name}: decoded`);
      if (alsoDecodes !== undefined)
        t.same(await board.command(`uncobs ${alsoDecodes}00`), [`frame ${decoded}`], `${name}: with an empty block`);
    }
    for (const { name, encoded } of cobsVectors.bad) t.same(await board.command(`uncobs ${encoded}00`), ['bad'], name);
    t.same(await board.command('uncobs 000000'), [], 'nothing between delimiters');
    await board.end();
  });

  t.test('the C core computes the same CRCs', async t => {
    const board = new HostBoard(program);
    for (const { bytes, crc32 } of crcVectors.vectors)
      t.same(await board.command(`crc ${bytes}`), [crc32], bytes.slice(0, 20) || 'nothing');
    await board.end();
  });

  t.test('the C core takes each frame of the vectors for a good one, and one changed byte for a bad one', async t => {
    const board = new HostBoard(program);
    const host = new RawHost(board.stream(), board);
    await host.hello();
    const { counters: before } = await host.nextState();
    for (const { wire } of frameVectors.vectors) await board.command(`bytes ${wire}`);
    t.equal((await host.nextState()).counters.badChecksum, before.badChecksum, 'no checksum was wrong');
    const { badChecksum, badFormat } = (await host.nextState()).counters;
    for (const { wire } of frameVectors.vectors) {
      const bytes = bytesOf(wire);
      bytes[bytes.length - 2]! ^= bytes[bytes.length - 2] === 1 ? 2 : 1;
      await board.command(`bytes ${hexOf(bytes)}`);
    }
    const after = (await host.nextState()).counters;
    t.equal(
      after.badChecksum + after.badFormat - badChecksum - badFormat,
      frameVectors.vectors.length,
      'each was counted',
    );
    await board.end();
  });

  t.test(
    'a million bytes of soup: the core neither stops, nor moves, nor misses the frame after a delimiter',
    async t => {
      const random = new Random(7);
      const board = new HostBoard(program);
      const host = new RawHost(board.stream(), board);
      await host.hello();
      await host.configure();
      for (let bytes = 0; bytes < 1_000_000; ) {
        const soup = new Uint8Array(30_000);
        for (let i = 0; i < soup.length; i++) soup[i] = random.integer(256);
        await board.command(`bytes ${hexOf(soup)}00`);
        bytes += soup.length + 1;
        host.info = undefined;
        await host.hello();
        if (host.info === undefined) t.fail(`HELLO went unheard after ${bytes} bytes`);
      }
      t.same(board.pulses, [], 'no pulse came of it');
      t.ok((await host.nextState()).counters.badFormat > 1000, 'what was no frame was counted');
      await board.end();
    },
  );
}
