import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { overEach } from '../../src/fleet/over-each.js';

t.test('each is taken once, in order, so many at once', async t => {
  const begun: number[] = [];
  let now = 0;
  let most = 0;
  await overEach([1, 2, 3, 4, 5, 6, 7], 3, async item => {
    begun.push(item);
    most = Math.max(most, ++now);
    await sleep(item % 2 === 0 ? 1 : 4);
    now--;
  });
  t.same(begun, [1, 2, 3, 4, 5, 6, 7]);
  t.equal(most, 3);
});

t.test('once it does not go on nothing is begun, and what was begun is waited for', async t => {
  let stopped = false;
  let ended = 0;
  const begun: number[] = [];
  await overEach(
    [1, 2, 3, 4],
    2,
    async item => {
      begun.push(item);
      stopped = true;
      await sleep(2);
      ended++;
    },
    () => !stopped,
  );
  t.same(begun, [1]);
  t.equal(ended, begun.length);
});

t.test(
  'nothing is no work, and what is thrown comes out once all that was begun has ended, and begins nothing',
  async t => {
    await overEach([], 4, async () => void t.fail('there is none'));
    const ended: number[] = [];
    const work = async (item: number) => {
      if (item === 1) throw new Error('no');
      await sleep(5);
      ended.push(item);
    };
    await t.rejects(overEach([1, 2, 3, 4], 2, work), { message: 'no' });
    t.same(ended, [2]);
  },
);
