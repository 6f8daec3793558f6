/** Foreign clients on the rig, none of them ours: they must not notice that the servos are emulated. `npm run conformance`. */
import { writeFileSync } from 'node:fs';
import {
  leRobotCalibration,
  leRobotCalibrationSchema,
  leRobotName,
  servosFromLeRobot,
} from '@sim2servo/models/lerobot-calibration';
import { loadRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { angleOfTurn } from '@sim2servo/models/servo-scale';
import { siteOn } from '@sim2servo/models/site';
import t from 'tap';
import { foreignClient } from '../support/foreign-client.js';
import { lacks } from '../support/foreign-python.js';

const sdk = lacks('scservo_sdk');
const lerobot = lacks('lerobot.motors.feetech');
/** Two counts of lag, and the encoder's last. */
const near = (counts: readonly number[], goals: readonly number[]): boolean =>
  counts.length === goals.length && counts.every((count, i) => Math.abs(count - goals[i]!) <= 4);

if (sdk !== false) t.comment(`left out: ${sdk}`);
if (lerobot !== false) t.comment(`left out: ${lerobot}`);

if (sdk === false)
  t.test("Feetech's SDK pings, reads, writes, sync-writes, sync-reads, and keeps writes for an action", async t => {
    const { end, ...said } = await foreignClient<{ end: number[] }>('feetech', 'feetech_sdk.py');
    t.same(said, { models: Array(6).fill(777), start: Array(6).fill(2048), waiting: 1, done: 0 });
    t.ok(near(end, [2098, 2148, 2198, 2248, 2298, 2348]), `it ends at ${end}`);
  });

if (lerobot === false)
  t.test("LeRobot's driver connects, configures, homes, calibrates, moves", async t => {
    const { end, ...said } = await foreignClient<{ end: number[] }>('feetech', 'lerobot_feetech.py');
    t.same(said, { same: true, temperature: Array(6).fill(32) });
    t.ok(near(end, Array(6).fill(2200)), `it ends at ${end}`);
  });

if (lerobot === false)
  t.test(
    'LeRobot loads a calibration of ours, and its degrees are our angles from the middle of the range on',
    async t => {
      const { spec, site } = loadRobot('so101');
      const arm = servosInOrder(spec, siteOn(site, 'feetech')).map((servo, j) => ({
        ...servo,
        zeroCount: 1990 + 20 * j,
      }));
      const registers = arm.map((_, j) => ({ drive_mode: 0, homing_offset: 100 * j - 250 }));
      const file = `${t.testdir()}.json`;
      const ours = leRobotCalibration(spec, arm, registers);
      writeFileSync(file, JSON.stringify(ours));
      const said = await foreignClient<{
        before: boolean;
        after: boolean;
        degrees: Record<string, number>;
        counts: Record<string, number>;
        again: unknown;
      }>('feetech', 'lerobot_calibration.py', file);
      t.match(said, { before: false, after: true });
      t.same(said.again, ours, 'what it writes itself is the same file');
      t.same(servosFromLeRobot(spec, arm, leRobotCalibrationSchema.parse(said.again)), arm);
      for (const [j, servo] of arm.entries()) {
        const name = leRobotName(servo.joint);
        const [low, high] = spec.joints[j]!.range;
        const rad = angleOfTurn(servo, said.counts[name]!) - (low + high) / 2;
        // It counts 4095 to a turn and we 4096, and both round the ends of the range to whole counts.
        t.ok(
          Math.abs((rad * 180) / Math.PI - said.degrees[name]!) < 0.1,
          `${name}: ${rad} rad, ${said.degrees[name]}°`,
        );
      }
    },
  );

t.test('what is left out is named', async t => {
  t.match(lacks('a_module_that_nobody_has'), /KIT_PYTHON|a_module_that_nobody_has/);
});
