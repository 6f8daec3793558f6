import t from 'tap';
import { threadsThatPay } from '../src/threads-that-pay.js';

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
