import fc from 'fast-check';
import t from 'tap';
import { CommandQueue } from '../src/command-queue.js';

t.test('a command is taken in the step it is due in, not before', t => {
  const queue = new CommandQueue(2, 5);
  const out = Float64Array.of(7, 8);
  queue.push([1, 2], 3);
  t.equal(queue.take(2, out), false);
  t.strictSame([...out], [7, 8]);
  t.equal(queue.take(3, out), true);
  t.strictSame([...out], [1, 2]);
  t.equal(queue.take(4, out), false);
  t.end();
});

t.test('of several that are due the newest counts', t => {
  const queue = new CommandQueue(1, 5);
  const out = new Float64Array(1);
  queue.push([1], 3);
  queue.push([2], 4);
  queue.push([3], 4);
  t.ok(queue.take(4, out));
  t.equal(out[0], 3);
  t.notOk(queue.take(9, out));
  t.end();
});

t.test('a cleared queue delivers nothing', t => {
  const queue = new CommandQueue(1, 5);
  queue.push([1], 0);
  queue.clear();
  t.notOk(queue.take(9, new Float64Array(1)));
  t.end();
});

t.test('however often commands are sent, each step gets what a list without an end would give it', t => {
  const maxDelay = 6;
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: maxDelay }),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 60 }),
      fc.nat(),
      (delay, sendsPerStep, reloadAt) => {
        let queue = new CommandQueue(1, maxDelay);
        const list: { due: number; angle: number }[] = [];
        const out = new Float64Array(1);
        let angle = 0;
        for (const [step, sends] of sendsPerStep.entries()) {
          for (let i = 0; i < sends; i++) {
            angle++;
            queue.push([angle], step + delay);
            list.push({ due: step + delay, angle });
          }
          if (step === reloadAt % sendsPerStep.length) {
            const saved = queue.save();
            queue = new CommandQueue(1, maxDelay);
            queue.load(saved);
          }
          queue.take(step, out);
          const expected = list.filter(({ due }) => due <= step).at(-1)?.angle ?? 0;
          if (out[0] !== expected) return false;
        }
        return true;
      },
    ),
  );
  t.end();
});
