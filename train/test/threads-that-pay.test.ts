import t from 'tap';
import { samplerPays, threadsThatPay } from '../src/threads-that-pay.js';

t.test('as many threads as there is work for, and no more than cores', async t => {
  const threads = (hidden: number, batchSize: number, cores: number) =>
    threadsThatPay({ hiddenSizes: [hidden, hidden], batchSize }, cores);
  t.equal(threads(64, 256, 8), 1, 'a small network is done before the others are told');
  t.equal(threads(256, 256, 1), 1);
  t.equal(threads(256, 256, 2), 2);
  t.equal(threads(256, 256, 8), 4);
  t.equal(threads(256, 250, 4), 2, 'the batch has equal parts');
  t.equal(threadsThatPay({ hiddenSizes: [256], batchSize: 256 }, 8), 1);
});

t.test(
  'batches are drawn in a thread of their own where a core and something to draw ahead are left for it',
  async t => {
    t.notOk(samplerPays(1, 4, 2), 'one core for the learner, one for the environment');
    t.ok(samplerPays(1, 4, 3));
    t.notOk(samplerPays(4, 4, 5));
    t.ok(samplerPays(4, 4, 6));
    t.notOk(samplerPays(1, 1, 16), 'the first call of a block has to be waited for');
  },
);
