import fc from 'fast-check';
import t from 'tap';
import {
  type LeRobotCalibration,
  leRobotCalibration,
  leRobotCalibrationSchema,
  leRobotName,
  servosFromLeRobot,
} from '../src/lerobot-calibration.js';
import { loadRobot, servosInOrder } from '../src/robot-folder.js';
import { angleOfTurn } from '../src/servo-scale.js';
import { type CountedServo, siteOn } from '../src/site.js';

const { spec, site } = loadRobot('so101');
const servos: CountedServo[] = servosInOrder(spec, siteOn(site, 'feetech'));

/** As LeRobot writes it for an SO-101: measured ranges, the wrist a full turn. */
const file: LeRobotCalibration = {
  shoulder_pan: { id: 1, drive_mode: 0, homing_offset: -1470, range_min: 744, range_max: 3476 },
  shoulder_lift: { id: 2, drive_mode: 0, homing_offset: -128, range_min: 830, range_max: 3208 },
  elbow_flex: { id: 3, drive_mode: 0, homing_offset: 1041, range_min: 858, range_max: 3066 },
  wrist_flex: { id: 4, drive_mode: 0, homing_offset: 27, range_min: 820, range_max: 3188 },
  wrist_roll: { id: 5, drive_mode: 0, homing_offset: -911, range_min: 0, range_max: 4095 },
  gripper: { id: 6, drive_mode: 0, homing_offset: 1210, range_min: 2027, range_max: 3476 },
};

t.test('by hand: the middle of the recorded range is the middle of the range in robot.json', async t => {
  const [pan, , , , roll, gripper] = servosFromLeRobot(spec, servos, file);
  // ±1.9 rad: 0 rad is in the middle, (744 + 3476) / 2.
  t.match(pan, { id: 1, zeroCount: 2110, direction: 1 });
  // ±2.7 rad, 2047.5.
  t.equal(roll!.zeroCount, 2048);
  // −0.15 … 1.7 rad: 0 rad is 0.775 rad, 505.2 counts, below the middle, 2751.5.
  t.equal(gripper!.zeroCount, 2246);
});

t.test(
  "the middle is the middle for a servo that counts backwards, too, and LeRobot's degrees are ours but for the zero",
  async t => {
    const backwards = servos.map(servo => ({ ...servo, direction: -1 as const }));
    const imported = servosFromLeRobot(spec, backwards, file);
    for (const [j, servo] of imported.entries()) {
      const { range_min, range_max } = file[leRobotName(servo.joint)]!;
      const middle = (range_min + range_max) / 2;
      const [low, high] = spec.joints[j]!.range;
      t.ok(Math.abs(angleOfTurn(servo, middle) - (low + high) / 2) < 0.0008, `${servo.joint}: within half a count`);
      t.equal(servo.direction, -1);
      // LeRobot: (count − middle) · 360 / 4095. Ours: 4096 counts a turn.
      const degrees = ((range_max - middle) * 360) / 4095;
      const ours = (Math.abs(angleOfTurn(servo, range_max) - angleOfTurn(servo, middle)) * 180) / Math.PI;
      t.ok(Math.abs(ours - degrees) < 0.001 * degrees + 0.001, servo.joint);
    }
  },
);

t.test('what is written is read back as it was, within the rounding to whole counts', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -250, max: 250 }), { minLength: 6, maxLength: 6 }), shifts => {
      const arm = servos.map((servo, j) => ({ ...servo, zeroCount: 2048 + shifts[j]! }));
      const registers = arm.map(() => ({ drive_mode: 0, homing_offset: -7 }));
      const written = leRobotCalibrationSchema.parse(
        JSON.parse(JSON.stringify(leRobotCalibration(spec, arm, registers))),
      );
      const back = servosFromLeRobot(spec, servos, written);
      return back.every((servo, j) => Math.abs(servo.zeroCount - arm[j]!.zeroCount) <= 1);
    }),
  );
});

t.test('measured ranges and registers are written as they are, but no count outside the turn', async t => {
  const ranges = servos.map(() => [3000, 1000] as const);
  const written = leRobotCalibration(
    spec,
    servos,
    servos.map((_, j) => ({ drive_mode: 4, homing_offset: j })),
    [...ranges.slice(0, 5), [-30, 4200]],
  );
  t.same(Object.keys(written), ['shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper']);
  t.same(written.elbow_flex, { id: 3, drive_mode: 4, homing_offset: 2, range_min: 1000, range_max: 3000 });
  t.match(written.gripper, { range_min: 0, range_max: 4095 });
});

t.test(
  'a file of another arm, one without a range, and one whose zero is nowhere are refused with what is wrong',
  async t => {
    const { gripper, ...rest } = file;
    t.throws(() => servosFromLeRobot(spec, servos, { ...rest, jaw: gripper! }), {
      code: 'E_LEROBOT_JOINT',
      message: /has no gripper; it has jaw/,
    });
    t.throws(
      () => leRobotCalibrationSchema.parse({ gripper: { ...gripper!, range_max: 2027 } }),
      /larger than range_min/,
    );
    t.throws(
      () => servosFromLeRobot(spec, servos, { ...file, gripper: { ...gripper!, range_min: 0, range_max: 100 } }),
      { code: 'E_LEROBOT_ZERO', message: /gripper puts 0 rad at count -455/ },
    );
  },
);
