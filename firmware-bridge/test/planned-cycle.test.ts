import { cycleUs } from '@sim2servo/models/bus-cycle';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { plannedCycle } from '../src/planned-cycle.js';

t.test('six servos as they leave the factory, with the bytes that the documents have', t => {
  // docs/feetech.md: 98 + 16 bytes read, 26 written; 500 µs for each of seven replies.
  const feetech = plannedCycle(loadRobot('so101'))!;
  t.same([feetech.readBytes, feetech.writeBytes, feetech.returnDelayUs], [98 + 16, 26, 7 * 500]);
  t.equal(cycleUs(feetech), 1400 + 3500);
  // docs/dynamixel.md, mixed and older: 40 bytes asked, 162 answered, 44 written, six return delays.
  const dynamixel = plannedCycle(loadRobot('koch'))!;
  t.same([dynamixel.readBytes, dynamixel.writeBytes, dynamixel.returnDelayUs], [40 + 162, 44, 6 * 500]);
  t.end();
});

t.test('a board keeps its own time, and has two channels', t => {
  const { spec, site } = loadRobot('desk2');
  t.equal(plannedCycle({ spec, site }), undefined);
  const servos = site.servos.map((servo, i) => ({ ...servo, id: i + 1 }));
  t.throws(() => plannedCycle({ spec, site: { ...site, servos } }), {
    code: 'E_CHANNEL',
    message: "servo 'elbow' has id 2, the board has channels 0 to 1",
  });
  t.equal(
    plannedCycle({ spec, site: { ...site, bus: { kind: 'mqtt', broker: 'mqtt://desk', deadlineMs: 100 } } }),
    undefined,
  );
  t.end();
});
