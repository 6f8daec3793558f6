import t from 'tap';
import { Arena } from '../../src/engine/arena.js';

t.test('regions are views of one memory, on cache lines, apart from each other', async t => {
  const arena = new Arena([3, 100, 16]);
  const regions = [3, 100, 16].map(floats => arena.allocate(floats));
  regions.forEach(({ byteOffset, values }, i) => {
    t.equal(values.buffer, arena.memory.buffer);
    t.equal(values.byteOffset, byteOffset);
    t.equal(byteOffset % 64, 0);
    values.fill(i + 1);
  });
  regions.forEach(({ values }, i) => {
    t.ok(values.every(value => value === i + 1));
  });
});

t.test('no region begins at 0, where a forgotten offset would point', async t => {
  t.ok(new Arena([1]).allocate(1).byteOffset > 0);
});

t.test('an arena that is full says so and does not grow, which would detach every view', async t => {
  const arena = new Arena([16000]);
  arena.allocate(16000);
  t.throws(() => arena.allocate(64000), { code: 'E_ARENA_FULL', message: /64000 floats/ });
});
