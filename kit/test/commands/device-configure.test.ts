import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBusRig } from '@sim2servo/hil-tests/rig/bus/bus-rig';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { kit, onSteadyRig } from '../test-io.js';

t.test('it is refused for a robot without such servos', async t => {
  const { exit, out } = await kit(['--json', 'device', 'configure', '--robot', 'desk2', '--port', '/dev/x']);
  t.equal(exit, 2);
  t.equal(JSON.parse(out).error.code, 'E_BUS_KIND');
});

t.test(
  'it says what it would write, writes it when told, and then has nothing left to do',
  { skip: process.platform !== 'linux' && 'pseudo-terminals of this kind need Linux' },
  async t => {
    const folder = join(t.testdir(), 'robot');
    cpSync(loadRobot('desk2').folder, folder, { recursive: true });
    const servos = ['shoulder', 'elbow'].map((joint, i) => {
      return { kind: 'feetech', model: 'sts3215', joint, id: i + 1, zeroCount: 2048 - 600 * i, direction: 1 };
    });
    const site = JSON.parse(readFileSync(join(folder, 'site.json'), 'utf8')) as object;
    writeFileSync(join(folder, 'site.json'), JSON.stringify({ ...site, bus: { kind: 'feetech' }, servos }));
    const rig = await startBusRig({ robot: folder });
    t.teardown(() => rig.stop());
    const args = ['--json', 'device', 'configure', '--robot', folder, '--port', rig.path];
    const asked = (answer?: boolean) => onSteadyRig(() => kit(args, answer));
    const unasked = await asked();
    t.equal(unasked.exit, 2, 'nobody could be asked');
    t.match(unasked.err, /servo 2 \(elbow\): maxPosition is 4095 and should be \d+/);
    t.equal((await asked(false)).exit, 1, 'a no is a no');
    const written = await kit([...args, '--yes']);
    t.equal(written.exit, 0);
    t.match(JSON.parse(written.out), [
      { servo: 1, joint: 'shoulder', name: 'minPosition', from: 0, to: 1071 },
      { servo: 1, name: 'maxPosition' },
      { servo: 2, name: 'minPosition' },
      { servo: 2, name: 'maxPosition' },
    ]);
    t.same(JSON.parse((await asked()).out), []);
  },
);
