import fc from 'fast-check';
import t from 'tap';
import type { ByteStream } from '../src/byte-stream.js';
import { HalfDuplexPort, type ReplyReader } from '../src/half-duplex-port.js';
import { VirtualClock } from './support/virtual-clock.js';

const baudRate = 1_000_000;

/** A wire whose other end says what the test schedules. */
class ScriptedWire implements ByteStream {
  readonly clock: VirtualClock;
  readonly written: Uint8Array[] = [];
  #receive: (chunk: Uint8Array) => void = () => {};
  #ended: (reason: Error | undefined) => void = () => {};

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
  }

  onData(receive: (chunk: Uint8Array) => void): void {
    this.#receive = receive;
  }

  onClose(closed: (reason: Error | undefined) => void): void {
    this.#ended = closed;
  }

  async close(): Promise<void> {
    this.#ended(undefined);
  }

  say(afterUs: number, ...bytes: number[]): void {
    this.clock.after(afterUs, () => this.#receive(Uint8Array.from(bytes)));
  }

  vanish(afterUs: number): void {
    this.clock.after(afterUs, () => this.#ended(new Error('pulled')));
  }
}

/** Replies of this test's protocol: A5h, an id, its complement. */
function readerOf(...ids: number[]): ReplyReader & { readonly got: number[] } {
  const got: number[] = [];
  return {
    got,
    take(buffer, start, end) {
      if (buffer[start] !== 0xa5) return -1;
      if (end - start < 3) return 0;
      const id = buffer[start + 1]!;
      if (buffer[start + 2] !== 255 - id || !ids.includes(id) || got.includes(id)) return -1;
      got.push(id);
      return 3;
    },
  };
}

const reply = (id: number): number[] => [0xa5, id, 255 - id];
const request = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10); // 100 µs on the wire

function open() {
  const clock = new VirtualClock();
  const wire = new ScriptedWire(clock);
  return { clock, wire, port: new HalfDuplexPort(wire, clock, baudRate) };
}

t.test('replies of several servos are awaited, and the wait ends with the last of them', async t => {
  const { clock, wire, port } = open();
  const reader = readerOf(1, 2);
  wire.say(200, ...reply(1));
  wire.say(300, ...reply(2));
  const from = clock.nowUs();
  t.equal(await port.request(request, reader, 2, 10_000), 0);
  t.same(reader.got, [1, 2]);
  t.equal(clock.nowUs() - from, 300);
  t.same([port.strays, port.lostReplies, port.echoes], [0, 0, 0]);
  t.same(wire.written, [request]);
});

t.test('the wait for a servo that says nothing is bounded, and what is missing is counted', async t => {
  const { clock, wire, port } = open();
  wire.say(200, ...reply(2));
  const from = clock.nowUs();
  t.equal(await port.request(request, readerOf(1, 2), 2, 1_000), 1);
  t.equal(clock.nowUs() - from, 1_000);
  t.equal(port.lostReplies, 1);
});

t.test('the echo of the own request is dropped however it is cut, and is no error', async t => {
  for (const cut of [1, 5, 10]) {
    const { wire, port } = open();
    wire.say(60, ...request.subarray(0, cut));
    wire.say(110, ...request.subarray(cut), ...reply(1));
    t.equal(await port.request(request, readerOf(1), 1, 1_000), 0, `cut at ${cut}`);
    t.same([port.echoes, port.strays], [1, 0]);
  }
});

t.test('the echo of a packet without replies is dropped before the next request', async t => {
  const { clock, wire, port } = open();
  port.send(request);
  wire.say(100, ...request);
  await clock.waitUntil(clock.nowUs() + 200);
  wire.say(150, ...reply(1));
  t.equal(await port.request(Uint8Array.of(9, 9, 9), readerOf(1), 1, 1_000), 0);
  t.same([port.echoes, port.strays], [1, 0]);
});

t.test('who had to ask twice lets the second answer pass before anything else is asked', async t => {
  const { clock, wire, port } = open();
  // Each answer comes half a timeout too late: the one to the first try in the second, the one to the second after it.
  wire.say(1_500, ...reply(1));
  wire.say(2_500, ...reply(1));
  t.equal(await port.insist(request, readerOf(1), 1_000, 3), true);
  t.equal(wire.written.length, 2);
  t.equal(await port.request(request, readerOf(1), 1, 200), 1, 'the late one answers nothing else');
  t.equal(port.strays, 1);
  const from = clock.nowUs();
  wire.say(200, ...reply(1));
  t.equal(await port.insist(request, readerOf(1), 1_000, 3), true);
  t.equal(clock.nowUs() - from, 200, 'where the first answer came in time nothing is waited for');
});

t.test('nobody is asked more often than wanted', async t => {
  const { wire, port } = open();
  t.equal(await port.insist(request, readerOf(1), 1_000, 3), false);
  t.equal(wire.written.length, 3);
});

t.test('an answer to an older request is none to this one', async t => {
  const { clock, wire, port } = open();
  t.equal(await port.request(request, readerOf(1), 1, 500), 1);
  wire.say(100, ...reply(1));
  await clock.waitUntil(clock.nowUs() + 200);
  const late = readerOf(1);
  t.equal(await port.request(request, late, 1, 500), 1, 'it lay there already');
  wire.say(50, ...reply(1));
  wire.say(250, ...reply(1));
  const early = readerOf(1);
  const from = clock.nowUs();
  t.equal(await port.request(request, early, 1, 500), 0);
  t.equal(clock.nowUs() - from, 250, 'the first came before this request had left the wire');
  t.equal(port.strays, 2);
});

t.test('a second reply of a servo, and one of a servo that was not asked, are dropped', async t => {
  const { wire, port } = open();
  wire.say(200, ...reply(1), ...reply(1), ...reply(7), ...reply(2));
  const reader = readerOf(1, 2);
  t.equal(await port.request(request, reader, 2, 1_000), 0);
  t.same(reader.got, [1, 2]);
  t.equal(port.strays, 1);
});

t.test('a reply is found in any soup, cut anywhere, and nothing is ever made up', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.nat(400), { maxLength: 6 }),
      fc.constantFrom(1, 2),
      async (soup, cuts, due) => {
        const { wire, port } = open();
        const clean = soup.map(byte => (byte === 0xa5 ? 0x5a : byte));
        const stream = [...clean, ...reply(1), ...clean, ...(due === 2 ? reply(2) : [])];
        const at = [...new Set([0, ...cuts.map(cut => cut % stream.length), stream.length])].sort((a, b) => a - b);
        for (let i = 1; i < at.length; i++) wire.say(200 + i, ...stream.slice(at[i - 1], at[i]));
        const reader = readerOf(1, 2);
        return (await port.request(request, reader, due, 5_000)) === 0 && reader.got.length === due;
      },
    ),
  );
});

t.test('a stream that never ends holds no more than the buffer', async t => {
  const { wire, port } = open();
  for (let i = 0; i < 40; i++) wire.say(200 + i, ...new Array(1000).fill(0xa5));
  wire.say(400, 0, ...reply(1));
  t.equal(await port.request(request, readerOf(1), 1, 5_000), 0);
  t.equal(port.bytes, 40_004);
});

t.test('a port that vanishes ends the wait with its own error, and every later call', async t => {
  const { clock, wire, port } = open();
  wire.vanish(300);
  const from = clock.nowUs();
  await t.rejects(port.request(request, readerOf(1), 1, 5_000), { code: 'E_PORT_CLOSED', message: /pulled/ });
  t.equal(clock.nowUs() - from, 300);
  t.throws(() => port.send(request), { code: 'E_PORT_CLOSED' });
});

t.test('two requests at a time are refused', async t => {
  const { wire, port } = open();
  const first = port.request(request, readerOf(1), 1, 1_000);
  t.throws(() => port.send(request), { code: 'E_BUS_BUSY' });
  const second = port.request(request, readerOf(1), 1, 1_000);
  wire.say(200, ...reply(1));
  await t.rejects(second, { code: 'E_BUS_BUSY' });
  t.equal(await first, 0, 'the first is not disturbed');
  await port.close();
});
