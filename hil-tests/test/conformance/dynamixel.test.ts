/** Foreign clients on the rig, none of them ours: they must not notice that the servos are emulated. `npm run conformance`. */
import t from 'tap';
import { foreignClient } from '../support/foreign-client.js';
import { lacks } from '../support/foreign-python.js';

interface Cycle {
  readonly cycle_p50_us: number;
  readonly cycle_p99_us: number;
}

const library = lacks('dynamixel_sdk');
const lerobot = lacks('lerobot.motors.dynamixel');
if (library !== false) t.comment(`left out: ${library}`);
if (lerobot !== false) t.comment(`left out: ${lerobot}`);

if (library === false) {
  t.test("the manufacturer's library asks everything that it can ask", async t => {
    const { cycle_p50_us, cycle_p99_us } = await foreignClient<Cycle>('dynamixel', 'dynamixel_library.py');
    t.ok(cycle_p50_us > 1_000, `its cycle takes ${cycle_p50_us} µs p50, ${cycle_p99_us} p99; the wire is not free`);
  });

  t.test('it notices servos that are no Dynamixels', async t => {
    await t.rejects(foreignClient('feetech', 'dynamixel_library.py'), {
      message: /ping 1: expected .*Success.*, saw .*no status packet/i,
    });
  });
}

if (lerobot === false)
  t.test("LeRobot's driver connects, sets up, calibrates, reads and writes", async t => {
    const { cycle_p50_us, cycle_p99_us } = await foreignClient<Cycle>('dynamixel', 'lerobot_dynamixel.py');
    t.ok(cycle_p50_us > 1_000, `its cycle takes ${cycle_p50_us} µs p50, ${cycle_p99_us} p99; the wire is not free`);
  });

t.test('what is left out is named', async t => {
  t.match(lacks('a_module_that_nobody_has'), /KIT_PYTHON|a_module_that_nobody_has/);
});
