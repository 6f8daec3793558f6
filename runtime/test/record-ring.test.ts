import fc from 'fast-check';
import t from 'tap';
import { createRingMemory, RecordRing } from '../src/record-ring.js';
import { sampleTick, sizes } from './support/sample-log.js';

t.test('a record comes out as it went in, in every field', async t => {
  const ring = new RecordRing(createRingMemory(sizes, 4));
  for (let i = 0; i < 9; i++) {
    ring.push(sampleTick(i), i % 3);
    t.same(ring.shift(), { ...sampleTick(i), policy: i % 3 });
  }
  t.equal(ring.shift(), undefined);
});

t.test('the ring is a bounded queue that counts what it drops', async () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), pushes => {
      const ring = new RecordRing(createRingMemory(sizes, 8));
      const model: number[] = [];
      let dropped = 0;
      for (const [i, push] of pushes.entries()) {
        if (push) {
          const taken = ring.push(sampleTick(i), 0);
          if (taken !== model.length < 8) throw new Error('room seen wrongly');
          if (taken) model.push(i);
          else dropped++;
        } else {
          const expected = model.shift();
          const found = ring.shift();
          if (found?.timeS !== (expected === undefined ? undefined : sampleTick(expected).timeS))
            throw new Error('order');
        }
        if (ring.waiting !== model.length || ring.dropped !== dropped) throw new Error('counts');
      }
    }),
  );
});

t.test('both sides see the same memory', async t => {
  const memory = createRingMemory(sizes, 4);
  const writer = new RecordRing(memory);
  const reader = new RecordRing(memory);
  writer.push(sampleTick(3), 0);
  t.same(reader.shift(), { ...sampleTick(3), policy: 0 });
  t.equal(writer.waiting, 0);
  writer.close();
  t.ok(reader.closing);
  reader.fail();
  t.ok(writer.failed);
});

t.test('waiting for room gives up where nobody takes anything, or the reader has failed', async t => {
  const ring = new RecordRing(createRingMemory(sizes, 2));
  t.ok(ring.waitForRoom(1));
  ring.push(sampleTick(0), 0);
  ring.push(sampleTick(1), 0);
  t.notOk(ring.waitForRoom(1));
  ring.shift();
  t.ok(ring.waitForRoom(1));
  ring.fail();
  t.notOk(ring.waitForRoom(1));
});

t.test('a size that is no power of two is refused', async t => {
  t.throws(() => createRingMemory(sizes, 1000), RangeError);
});
