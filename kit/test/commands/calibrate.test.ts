/** Calibrating emulated arms: a person who turns horns and presses Enter, and files of LeRobot. */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BusRig, startBusRig } from '@sim2servo/hil-tests/rig/bus/bus-rig';
import { leRobotCalibration, leRobotCalibrationSchema } from '@sim2servo/models/lerobot-calibration';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { turnOfAngle } from '@sim2servo/models/servo-scale';
import { type CountedServo, countsPerTurn } from '@sim2servo/models/site';
import t, { type Test } from 'tap';
import { errorOf, kit, needsLinux, onSteadyRig } from '../test-io.js';

const baudRate = 1_000_000;

async function rigOf(t: Test, kind: 'feetech' | 'dynamixel'): Promise<BusRig> {
  const rig = await startBusRig({ kind, servos: 6, baudRate });
  t.teardown(() => rig.stop());
  return rig;
}

/** A copy of a robot in a folder of its own; all its Dynamixels are those of the rig. */
function copyOf(t: Test, name: string): string {
  const folder = join(t.testdir(), name);
  cpSync(loadRobot(name).folder, folder, { recursive: true });
  const path = join(folder, 'site.json');
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll('xl430-w250', 'xl330-m288'));
  return folder;
}

/** Longer than a look at six servos takes, also on a busy machine; one that was missed is asked for again. */
const holdMs = 400;

/**
 * A person with both hands on the arm. Whatever the kit asks for last is done again when it asks for more.
 *
 * @param zero  [servos] raw counts of the zero posture
 * @param reach [servos] counts from there to both ends
 * @param last  what is typed before Enter, at the question of this number
 */
function person(
  rig: BusRig,
  zero: readonly number[],
  reach: readonly (readonly [number, number])[],
  last: (question: number) => string = () => '',
): () => Promise<string> {
  const turnAll = async (to: readonly number[]) => {
    for (const [servo, counts] of to.entries()) await rig.tell({ kind: 'turn', servo, counts });
    await sleep(holdMs);
  };
  let question = 0;
  return async () => {
    question++;
    if (question === 2) await turnAll(zero);
    if (question > 2) for (const end of [0, 1] as const) await turnAll(zero.map((count, i) => count + reach[i]![end]));
    return last(question);
  };
}

const turnCounts = countsPerTurn / (2 * Math.PI);
/** A little more than the ranges of robot.json: to the stops. */
const stops = (name: string): [number, number][] =>
  loadRobot(name).spec.joints.map(({ range: [low, high] }) => [
    Math.round((low - 0.02) * turnCounts),
    Math.round((high + 0.02) * turnCounts),
  ]);
const zerosOf = (folder: string) => (loadRobot(folder).site.servos as CountedServo[]).map(({ zeroCount }) => zeroCount);

t.test('an SO-101 from the box: zeros, ranges, a copy of the robot, and a file for LeRobot', needsLinux, async t => {
  const rig = await rigOf(t, 'feetech');
  const folder = join(t.testdir(), 'mine');
  const file = `${folder}.lerobot.json`;
  // Two horns stand so that the range runs over the end of the turn.
  const zero = [2048, 2100, 200, 2000, 2048, 3990];
  const args = `--json calibrate --robot so101 --port ${rig.path} --out ${folder} --to-lerobot ${file} --yes`;
  const said = await onSteadyRig(() => kit(args, undefined, person(rig, zero, stops('so101'))));
  t.equal(said.exit, 0, said.out + said.err);
  const result = JSON.parse(said.out);
  t.same(zerosOf(folder), [2048, 2100, 2048, 2000, 2048, 2048]);
  t.same(result.short, []);
  t.same(
    result.changes.map(({ joint, to }: { joint: string; to: number }) => [joint, to]),
    [
      ['shoulder-lift', 2100],
      ['wrist-flex', 2000],
    ],
  );
  t.same(
    result.offsets.map(({ joint }: { joint: string }) => joint),
    ['elbow-flex', 'gripper'],
  );
  t.match(said.err, 'servo 3 (elbow-flex): homing offset 0 → -1848');
  t.match(said.err, 'servo 6 (gripper): homing offset 0 → 1942');
  t.notMatch(said.err, /servo 1 \(shoulder-pan\)/);
  const written = leRobotCalibrationSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  t.match(written.elbow_flex, { id: 3, drive_mode: 0, homing_offset: -1848 });
  const [low, high] = stops('so101')[2]!;
  t.same([written.elbow_flex!.range_min, written.elbow_flex!.range_max], [2048 + low, 2048 + high]);
  const site = JSON.parse(readFileSync(join(folder, 'site.json'), 'utf8'));
  t.ok(existsSync(join(folder, site.$schema)), 'an editor finds the schema');
  t.same((await rig.report()).torque, [0, 0, 0, 0, 0, 0], 'limp throughout');

  await t.test('and back: what LeRobot would have read is what we have', async t => {
    const back = copyOf(t, 'so101');
    const args = `--json calibrate --robot ${back} --from-lerobot ${file} --port ${rig.path} --yes`;
    const read = await onSteadyRig(() => kit(args));
    t.equal(read.exit, 0, read.out);
    const off = zerosOf(back).map((count, j) => Math.abs(count - zerosOf(folder)[j]!));
    t.ok(Math.max(...off) <= 1, `${off} counts`);
    t.ok(existsSync(join(back, 'site.json.bak')), 'the old one is kept');
  });

  await t.test('a file whose homing offsets the servos have not is written into them after a yes', async t => {
    const back = copyOf(t, 'so101');
    const moved = { ...written, gripper: { ...written.gripper!, homing_offset: 1900 } };
    const other = `${back}.json`;
    writeFileSync(other, JSON.stringify(moved));
    const args = `--json calibrate --robot ${back} --from-lerobot ${other} --port ${rig.path}`;
    const unasked = await onSteadyRig(() => kit(args));
    t.equal(errorOf(unasked).code, 'E_NOT_CONFIRMED');
    t.match(unasked.err, 'servo 6 (gripper): homing offset 1942 → 1900');
    t.equal((await onSteadyRig(() => kit(`${args} --yes`))).exit, 0);
    const again = await onSteadyRig(() => kit(args));
    t.notMatch(again.err, 'homing offset 19');
  });

  await t.test('without a walk: ranges of robot.json, homing offsets of the servos', async t => {
    const args = `--json calibrate --robot ${folder} --port ${rig.path} --to-lerobot ${file} --no-walk`;
    const unasked = await onSteadyRig(() => kit(args));
    t.match(unasked.err, `About to replace ${file}`);
    t.equal((await onSteadyRig(() => kit(`${args} --yes`))).exit, 0);
    const plain = leRobotCalibrationSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    t.equal(plain.gripper!.homing_offset, 1900);
    const { spec, site } = loadRobot(folder);
    const pan = site.servos[0] as CountedServo;
    t.equal(plain.shoulder_pan!.range_max, Math.round(turnOfAngle(pan, spec.joints[0]!.range[1])));
  });
});

t.test(
  'a joint that does not reach its range is named until it does, or the person takes it so',
  needsLinux,
  async t => {
    const rig = await rigOf(t, 'feetech');
    const folder = copyOf(t, 'so101');
    const before = readFileSync(join(folder, 'site.json'), 'utf8');
    const reach = stops('so101').map((ends, i): readonly [number, number] => (i === 5 ? [-100, 500] : ends));
    const zero = [2048, 2048, 2048, 2048, 2048, 1500];
    const args = `--json calibrate --robot ${folder} --port ${rig.path}`;
    const said = await onSteadyRig(() =>
      kit(
        args,
        true,
        person(rig, zero, reach, question => (question === 4 ? 'w' : '')),
      ),
    );
    t.equal(said.exit, 0, said.out);
    t.match(said.err, /gripper went -0\.15 … 0\.77 rad, and its range in robot\.json is -0\.15 … 1\.70/);
    const { short, changes, backup } = JSON.parse(said.out);
    t.equal(short.length, 1);
    t.same(changes, [{ joint: 'gripper', name: 'zeroCount', from: 2048, to: 1500 }]);
    t.equal(readFileSync(backup, 'utf8'), before);
  },
);

t.test('nothing is written where a person says no, or ends it, or nobody is there', needsLinux, async t => {
  const rig = await rigOf(t, 'feetech');
  const folder = copyOf(t, 'so101');
  const before = readFileSync(join(folder, 'site.json'), 'utf8');
  const args = `--json calibrate --robot ${folder} --port ${rig.path}`;
  const zero = [2060, 2048, 2048, 2048, 2048, 2048];
  const no = await onSteadyRig(() => kit(args, false, person(rig, zero, stops('so101'))));
  t.equal(errorOf(no).code, 'E_NOT_CONFIRMED');
  t.match(no.err, /About to write .*site\.json:\n {2}shoulder-pan: zeroCount 2048 → 2060/);
  const nobody = await kit(args);
  t.equal(errorOf(nobody).code, 'E_NO_TERMINAL');
  t.equal(readFileSync(join(folder, 'site.json'), 'utf8'), before);
});

t.test('Dynamixel: the same walk; a horn that stands askew is to be turned', needsLinux, async t => {
  const rig = await rigOf(t, 'dynamixel');
  const folder = copyOf(t, 'koch');
  const args = `--json calibrate --robot ${folder} --port ${rig.path} --yes`;
  const zero = [2048, 2000, 2200, 2048, 2048, 3000];
  const said = await onSteadyRig(() => kit(args, undefined, person(rig, zero, stops('koch'))));
  t.equal(said.exit, 0, said.out + said.err);
  t.same(zerosOf(folder), zero);
  const askewZero = [2048, 2000, 2200, 2048, 300, 3000];
  const askew = await onSteadyRig(() => kit(args, undefined, person(rig, askewZero, stops('koch'))));
  t.match(errorOf(askew), { code: 'E_SERVO_RANGE', message: /wrist-roll: its range would be counts -\d+ to \d+/ });
  t.same(zerosOf(folder), zero);
  const other = `--json calibrate --robot koch --out ${folder}-new --port ${rig.path}`;
  const wrong = await onSteadyRig(() => kit(other, undefined, async () => ''));
  t.match(errorOf(wrong), {
    code: 'E_SERVO_MODEL',
    message: /servo 1 .* is a xl330-m288, and site.json says xl430-w250/,
  });
});

t.test("a Koch's file of LeRobot holds only as long as its offsets count in position mode", needsLinux, async t => {
  const folder = copyOf(t, 'koch');
  const { spec, site } = loadRobot(folder);
  const file = `${folder}.lerobot.json`;
  const arm = site.servos as CountedServo[];
  const write = (homing_offset: number) =>
    writeFileSync(
      file,
      JSON.stringify(
        leRobotCalibration(
          spec,
          arm,
          arm.map(() => ({ drive_mode: 0, homing_offset })),
        ),
      ),
    );
  const args = `--json calibrate --robot ${folder} --from-lerobot ${file}`;
  write(-1500);
  t.match(errorOf(await kit(args)), { code: 'E_HOMING_OFFSET', message: /gripper are beyond 1024 counts/ });
  write(-30);
  const rig = await rigOf(t, 'dynamixel');
  const other = errorOf(await onSteadyRig(() => kit(`${args} --port ${rig.path}`)));
  t.match(other, { code: 'E_HOMING_OFFSET', message: /shoulder-pan 0 instead of -30/ });
  const unlooked = await kit(args);
  t.equal(unlooked.exit, 0, 'nothing changes');
  t.match(unlooked.err, /as long as the servos have the file's homing offsets/);
});

t.test('what can not be calibrated, or not there, is refused before a port is opened', async t => {
  const file = join(t.testdir(), 'arm.json');
  writeFileSync(file, '{"gripper": {"id": 6}}');
  for (const [line, code] of [
    ['--robot so101 --port /dev/x', 'E_SHIPPED_ROBOT'],
    ['--robot desk2 --out x --port /dev/x', 'E_BUS_KIND'],
    [`--robot so101 --out ${t.testdirName} --port /dev/x`, 'E_OUT_EXISTS'],
    [`--robot so101 --out new --from-lerobot ${file}`, 'E_FILE_SCHEMA'],
    ['--robot so101 --out new --from-lerobot /no/such.json', 'E_FILE_READ'],
    [`--robot so101 --from-lerobot ${file} --to-lerobot ${file}`, 'E_USAGE'],
    ['--robot so101 --no-walk', 'E_USAGE'],
    ['--robot so101 --out new', 'E_NO_PORT'],
  ] as const) {
    const said = await kit(`--json calibrate ${line}`);
    t.equal(said.exit, 2, line);
    t.equal(errorOf(said).code, code, line);
  }
});
