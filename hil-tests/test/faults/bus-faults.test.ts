import t from 'tap';
import { BusFaultBench } from '../../src/scenarios/bus-fault-bench.js';
import { busFaults } from '../../src/scenarios/bus-faults.js';
import { feetechArm } from '../support/feetech-arm.js';

const robot = feetechArm();

for (const fault of busFaults)
  t.test(`${fault.name}: ${fault.expected}`, async t => {
    const bench = await BusFaultBench.create(robot);
    t.teardown(() => bench.dispose());
    const { end, reason, stillMs, movedCounts, linkErrors, passed } = await bench.suffer(fault);
    t.comment(
      `${end}: ${reason}; still after ${stillMs} ms, moved ${movedCounts} counts afterwards, ${linkErrors} errors`,
    );
    if (fault.expected === 'rides out') t.equal(end, 'done');
    else {
      t.not(end, 'done');
      t.match(reason, fault.reason);
      t.ok(stillMs <= 100, `every joint that has torque stands ${stillMs} ms after the fault`);
      t.ok(movedCounts <= 16, `${movedCounts} counts of motion once it is cleared`);
    }
    t.ok(passed, 'the bench says the same');
  });

t.test('the bench tells a fault that does not show from one that does', async t => {
  const bench = await BusFaultBench.create(robot);
  t.teardown(() => bench.dispose());
  const outcome = await bench.suffer({ name: 'nothing at all', expected: 'stops', begin: () => {}, clear: () => {} });
  t.equal(outcome.passed, false, 'a run that went on was not stopped');
});

t.test('the bench sees an arm that does not stand still', async t => {
  const bench = await BusFaultBench.create(robot);
  t.teardown(() => bench.dispose());
  const outcome = await bench.suffer({
    name: 'somebody else speaks after the hold',
    expected: 'stops',
    begin: ({ bus }) => {
      bus.wire.tamper = () => undefined;
    },
    clear: ({ bus }) => bus.servos[0]!.set('goalPosition', 1800),
  });
  t.equal(outcome.passed, false);
  t.ok(outcome.movedCounts > 100);
});
