/** Every fault of a bus, each as a test. */
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { Test } from 'tap';
import { type BusColumn, faultColumns } from '../../src/faults/fault-matrix.js';
import { stopLimitMs } from '../../src/faults/judge-fault.js';

export async function suffers(t: Test, bus: BusColumn, robot: LoadedRobot): Promise<void> {
  for (const { row, name, suffer } of faultColumns[bus])
    await t.test(`${row}: ${name}`, async t => {
      const { failures, seen, stoppedMs, movedRad, log, expected } = await suffer(robot);
      t.comment(
        `${expected}: ${seen}; stands after ${stoppedMs ?? '–'} ms, then moved ${movedRad ?? '–'} rad; ${log.records} of ${log.ticks} ticks logged`,
      );
      t.same(failures, []);
      if (stoppedMs !== undefined) t.ok(stoppedMs <= stopLimitMs);
    });
}
