import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import t, { type Test } from 'tap';
import type { AnyServo } from '../../src/rig/bus/create-bus.js';
import type { DynamixelServo } from '../../src/rig/bus/dynamixel/dynamixel-servo.js';
import type { Sts3215 } from '../../src/rig/bus/sts3215.js';
import { type BusFault, BusFaultBench, type BusFaultOutcome } from '../../src/scenarios/bus-fault-bench.js';
import { sts3215Faults, wireFaults } from '../../src/scenarios/bus-faults.js';
import { dynamixelFaults } from '../../src/scenarios/dynamixel-faults.js';
import { alike, mixed } from '../support/dynamixel-bench.js';
import { dynamixelRobot } from '../support/dynamixel-robot.js';
import { feetechArm } from '../support/feetech-arm.js';

const robot = feetechArm();

function suffers<Servo extends AnyServo>(t: Test, robot: LoadedRobot, faults: readonly BusFault<Servo>[]): void {
  for (const fault of faults)
    void t.test(`${fault.name}: ${fault.expected}`, async t => {
      const bench = await BusFaultBench.create<Servo>(robot);
      t.teardown(() => bench.dispose());
      const { end, reason, stillMs, movedCounts, linkErrors, passed }: BusFaultOutcome = await bench.suffer(fault);
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
}

t.test('STS3215', async t => suffers<Sts3215>(t, robot, [...wireFaults, ...sts3215Faults]));
for (const [name, models] of Object.entries({ mixed, alike }))
  t.test(`Dynamixel, ${name}`, async t =>
    suffers<DynamixelServo>(t, dynamixelRobot(t.testdir({}), models), [...wireFaults, ...dynamixelFaults]),
  );

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
    clear: ({ bus }) => (bus.servos[0] as Sts3215).set('goalPosition', 1800),
  });
  t.equal(outcome.passed, false);
  t.ok(outcome.movedCounts > 100);
});
