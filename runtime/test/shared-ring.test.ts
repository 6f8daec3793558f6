import t from 'tap';
import { SharedRing, sharedRing } from '../src/shared-ring.js';

/** Rows of one number. */
class Numbers extends SharedRing {
  push(value: number): boolean {
    const at = this.rowToWrite();
    if (at < 0) return false;
    this.data[at] = value;
    this.written();
    return true;
  }

  shift(): number | undefined {
    const at = this.rowToRead();
    if (at < 0) return undefined;
    const value = this.data[at];
    this.taken();
    return value;
  }
}

t.test('rows come out in the order in which they went in, round and round; what finds no room is counted', async t => {
  const memory = sharedRing(1, 4);
  const [writer, reader] = [new Numbers(memory), new Numbers(memory)];
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 6; i++) t.equal(writer.push(10 * round + i), i < 4);
    t.equal(reader.waiting, 4);
    t.same(
      [0, 1, 2, 3, 4].map(() => reader.shift()),
      [0, 1, 2, 3].map(i => 10 * round + i).concat([undefined as never]),
    );
    t.equal(writer.dropped, 2 * (round + 1));
  }
});

t.test('a reader that sleeps does so until its time is over, or the writer has closed', async t => {
  const ring = new Numbers(sharedRing(1, 2));
  const from = performance.now();
  ring.sleep(30);
  t.ok(performance.now() - from >= 25);
  ring.close();
  const closed = performance.now();
  ring.sleep(10_000);
  t.ok(performance.now() - closed < 5_000);
});

t.test('a size that is no power of two is refused', async t => {
  t.throws(() => sharedRing(1, 3), RangeError);
});
