/**
 * Programs of others on emulated Dynamixels: if one of them notices that the servos are none, the emulator is wrong. `npm run conformance`
 * with KIT_PYTHON=python of an environment that has them; without, they are left out, and that is said.
 */
import { messageOf } from '@sim2servo/models/error';
import t from 'tap';
import { startBusRig } from '../../src/rig/bus/bus-rig.js';
import { foreignClient, lacks } from '../support/foreign-client.js';

const baudRate = 1_000_000;
/** They give up after 34 ms of silence. A busy machine starves them or the rig for longer: then they begin again. */
const attempts = 5;

const clients = [
  {
    name: "the manufacturer's library, everything that it can ask",
    module: 'dynamixel_sdk',
    program: 'dynamixel_library.py',
  },
  {
    name: "LeRobot's driver: connects, sets up, calibrates, reads, writes",
    module: 'lerobot.motors.dynamixel',
    program: 'lerobot_dynamixel.py',
  },
];

for (const { name, module, program } of clients) {
  const lack = lacks(module);
  if (lack !== '') t.comment(`left out: ${lack}`);
  else
    t.test(name, async t => {
      const complaints: string[] = [];
      while (complaints.length < attempts) {
        const rig = await startBusRig({ kind: 'dynamixel', servos: 6, baudRate });
        try {
          t.comment(JSON.stringify(await foreignClient(program, rig.path, String(baudRate))));
          break;
        } catch (error) {
          const { maxLagUs } = await rig.report();
          complaints.push(`${messageOf(error)} (the rig was up to ${(maxLagUs / 1000).toFixed(0)} ms late)`);
        } finally {
          await rig.stop();
        }
      }
      t.ok(complaints.length < attempts, complaints.join('\n\n'));
    });
}

if (lacks('dynamixel_sdk') === '')
  t.test('the library notices that there are none', async t => {
    const rig = await startBusRig({ kind: 'feetech', servos: 6, baudRate });
    t.teardown(() => rig.stop());
    await t.rejects(foreignClient('dynamixel_library.py', rig.path, String(baudRate)), {
      message: /ping 1: expected .*Success.*, saw .*no status packet/i,
    });
  });

t.test('what is left out is named', async t => {
  t.match(lacks('a_module_that_nobody_has'), /KIT_PYTHON|a_module_that_nobody_has/);
});
