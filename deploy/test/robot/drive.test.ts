import { readdirSync } from 'node:fs';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import t from 'tap';
import { driveArm } from '../../src/robot/drive.js';
import { installedRobot } from '../../src/robot/installed-robot.js';
import { robotPlaces } from '../../src/robot/robot-places.js';
import { deployShipped, installedRoot } from '../support/installed.js';

t.test('what is wrong is said before a log is begun or a policy is said to drive', async t => {
  const { root, remove } = installedRoot();
  t.teardown(remove);
  const { robot: folder, store, logs } = robotPlaces(root);
  const driven: string[] = [];
  const drive = (port: string | undefined) =>
    driveArm(
      {
        robot: installedRobot(folder),
        clock: new RealtimeClock(),
        store,
        logs,
        port,
        say: () => {},
        drivenBy: digest => driven.push(digest),
      },
      { signal: new AbortController().signal, onStatus: () => {} },
    );
  await t.rejects(drive('/dev/null'), { code: 'E_POLICY_NONE' });
  const { digest } = await deployShipped(root);
  await t.rejects(drive(undefined), { code: 'E_NO_PORT', message: /so101/, hint: /--port/ });
  t.same(driven, []);
  await t.rejects(drive('/dev/no-such-port'), { code: 'E_PORT_ABSENT', exit: 'noDevice' });
  t.same(driven, [digest]);
  t.same(readdirSync(logs), []);
});
