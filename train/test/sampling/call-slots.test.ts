import t from 'tap';
import { CallSlots, shareCalls } from '../../src/sampling/call-slots.js';
import { emptyCall } from './small-call.js';

t.test('calls come out as they went in, and in their order, round and round', async t => {
  const shared = shareCalls(emptyCall(2));
  const [sampler, learner] = [new CallSlots(shared), new CallSlots(shared)];
  for (let i = 0; i < 11; i++) {
    sampler.fill(slot => {
      for (const values of Object.values(sampler.slots[slot]!.batch)) values.fill(i);
      sampler.slots[slot]!.noise.next!.fill(-i);
    });
    if (i === 0) continue; // One stays ahead.
    t.ok(
      learner.take(slot => {
        for (const [name, values] of Object.entries(learner.slots[slot]!.batch)) {
          t.ok(
            values.every(value => value === i - 1),
            name,
          );
        }
        t.ok(learner.slots[slot]!.noise.next!.every(value => value === 1 - i));
      }),
    );
  }
  t.ok(learner.take(() => {}));
  t.notOk(
    learner.take(() => t.fail('nothing is left to take')),
    'an empty ring is said',
  );
});

t.test('a slot has the arrays of the call, and no two share memory', async t => {
  const call = emptyCall(3);
  const { slots } = new CallSlots(shareCalls(call));
  const arrays = slots.flatMap(({ batch, noise }) => [...Object.values(batch), ...Object.values(noise)]);
  for (const [i, values] of arrays.entries()) values.fill(i + 1);
  for (const [i, values] of arrays.entries()) t.ok(values.every(value => value === i + 1));
  for (const { batch, noise, updatesPerCall } of slots) {
    t.equal(updatesPerCall, 3);
    for (const [name, { length }] of Object.entries(call.batch)) t.equal(batch[name]!.length, length, name);
    for (const [name, { length }] of Object.entries(call.noise)) t.equal(noise[name]!.length, length, name);
  }
});
