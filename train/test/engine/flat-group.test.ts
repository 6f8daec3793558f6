import t from 'tap';
import { sliceOfCall } from '../../src/engine/call-slice.js';
import { flatten, unflatten } from '../../src/engine/flat-group.js';
import { groupLayout } from '../../src/engine/group-layout.js';

t.test(
  'parameters go into one vector where the layout has them, with zeros between, and come back as copies',
  async t => {
    const layout = groupLayout([
      { name: 'kernel', shape: [2, 3] },
      { name: 'bias', shape: [3] },
    ]);
    const named = {
      'a/kernel': Float32Array.of(1, 2, 3, 4, 5, 6),
      'a/bias': Float32Array.of(7, 8, 9),
      'b/bias': Float32Array.of(0),
    };
    const flat = flatten('a', layout, named);
    const expected = new Float32Array(32);
    expected.set([1, 2, 3, 4, 5, 6]);
    expected.set([7, 8, 9], 16);
    t.same(flat, expected);
    const back: Record<string, Float32Array> = {};
    unflatten('a', layout, flat, back);
    flat.fill(0);
    t.same(back, { 'a/kernel': named['a/kernel'], 'a/bias': named['a/bias'] });
  },
);

t.test("an update's part of a call is a view", async t => {
  const call = { reward: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const second = sliceOfCall(call, 1, 3);
  t.same([...second.reward!], [3, 4]);
  second.reward![0] = 9;
  t.equal(call.reward[2], 9);
});
