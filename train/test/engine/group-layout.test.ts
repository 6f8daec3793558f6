import fc from 'fast-check';
import t from 'tap';
import { groupLayout } from '../../src/engine/group-layout.js';

t.test('parameters lie one after the other, each on its own cache line', async t => {
  const { parameters, length } = groupLayout([
    { name: 'kernel', shape: [3, 7] },
    { name: 'scalar', shape: [] },
  ]);
  t.same(
    parameters.map(({ name, offset, length }) => [name, offset, length]),
    [
      ['kernel', 0, 21],
      ['scalar', 32, 1],
    ],
  );
  t.equal(length, 48);
});

t.test('no two parameters overlap, whatever their shapes', async () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }), { maxLength: 12 }), shapes => {
      const { parameters, length } = groupLayout(shapes.map((shape, i) => ({ name: String(i), shape })));
      let end = 0;
      for (const { offset, length: size } of parameters) {
        if (offset < end || offset % 16 !== 0) return false;
        end = offset + size;
      }
      return end <= length && length % 16 === 0;
    }),
  );
});
