/** The fault matrix: every fault that a bus can have, done to the real loop, recorder and link. */
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { faultRows } from '../../src/faults/fault.js';
import { absentFaults, type BusColumn, faultColumns } from '../../src/faults/fault-matrix.js';
import { stopLimitMs } from '../../src/faults/judge-fault.js';
import { dynamixelRobot } from '../support/dynamixel-robot.js';
import { feetechArm } from '../support/feetech-arm.js';

/** desk2, small and quick, on each bus; `kit hil --rig all` does the same to so101 and koch. */
const arms: Record<BusColumn, () => ReturnType<typeof loadRobot>> = {
  kitlink: () => loadRobot('desk2'),
  feetech: () => feetechArm(),
  dynamixel: () => dynamixelRobot(t.testdir({}), ['xl430-w250', 'xl330-m288']),
  mqtt: () => feetechArm(),
};

for (const bus of Object.keys(arms) as BusColumn[])
  t.test(bus, async t => {
    const robot = arms[bus]();
    for (const { row, name, suffer } of faultColumns[bus])
      await t.test(`${row}: ${name}`, async t => {
        const { failures, seen, stoppedMs, movedRad, log, expected } = await suffer(robot);
        t.comment(
          `${expected}: ${seen}; stands after ${stoppedMs ?? '–'} ms, then moved ${movedRad ?? '–'} rad; ${log.records} of ${log.ticks} ticks logged`,
        );
        t.same(failures, []);
        if (stoppedMs !== undefined) t.ok(stoppedMs <= stopLimitMs);
      });
  });

t.test('each row has a fault on each bus, or says why not, and each row has one somewhere', async t => {
  for (const row of faultRows) {
    const has = (bus: BusColumn) => faultColumns[bus].some(fault => fault.row === row);
    for (const bus of Object.keys(arms) as BusColumn[])
      t.ok(has(bus) !== (absentFaults[row]?.[bus] !== undefined), `${row} on ${bus}`);
    t.ok((Object.keys(arms) as BusColumn[]).some(has), row);
  }
});

t.test('faults of one bus have names of their own, by which reports are compared', async t => {
  for (const faults of Object.values(faultColumns))
    t.equal(new Set(faults.map(({ name }) => name)).size, faults.length);
});
