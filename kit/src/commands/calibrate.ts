/** `kit calibrate`: which count of each servo is 0 rad, found by hand, or taken from LeRobot's calibration file, or written as one. */
import { existsSync } from 'node:fs';
import { maxDynamixelOffset } from '@sim2servo/firmware-bridge/homing';
import type { ServiceBus, ServoMemory } from '@sim2servo/firmware-bridge/service-bus';
import { writeDurably } from '@sim2servo/models/durable-file';
import { KitError, messageOf } from '@sim2servo/models/error';
import { readJsonFile } from '@sim2servo/models/json-file';
import {
  type LeRobotCalibration,
  type LeRobotMotor,
  leRobotCalibration,
  leRobotCalibrationSchema,
  leRobotName,
  servosFromLeRobot,
} from '@sim2servo/models/lerobot-calibration';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { angleOfTurn } from '@sim2servo/models/servo-scale';
import type { CountedServo } from '@sim2servo/models/site';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import { checkPositionMode, LimpArm, servoMemories } from '../calibration/limp-arm.js';
import { type Range, shortOfRange } from '../calibration/reach.js';
import { type OffsetEdit, theLine, type Walked, walk } from '../calibration/walk.js';
import { writeCalibration, writtenWords } from '../calibration/write-calibration.js';
import type { AddCommand, CommandContext } from '../command-context.js';
import { confirm } from '../io.js';
import { countedServos, robotBus, withServiceBus } from '../named-bus.js';
import { folderToWrite } from '../robot-writing.js';

interface CalibrateFlags {
  readonly robot: string;
  readonly port?: string;
  readonly out?: string;
  readonly fromLerobot?: string;
  readonly toLerobot?: string;
  readonly walk: boolean;
  readonly yes?: boolean;
}

export const addCalibrate: AddCommand = (program, context) => {
  program
    .command('calibrate')
    .description("find each joint's zero and range by hand, the arm limp, and write them into the robot's site.json")
    .requiredOption('--robot <name>', 'robot folder; a shipped robot with --out')
    .option('--port <path>', 'serial port of the servos (default: the one in site.json)')
    .option('--out <folder>', 'write into a new folder, a copy of the robot')
    .option(
      '--from-lerobot <file>',
      "take the zeros from LeRobot's calibration file; with --port the servos are checked",
    )
    .option('--to-lerobot <file>', "write LeRobot's calibration file, too")
    .option('--no-walk', "with --to-lerobot: take zeros and ranges as they are in the robot's folder")
    .option('-y, --yes', "don't ask before anything is written, or the arm goes limp")
    .action((flags: CalibrateFlags) => {
      checkFlags(flags);
      if (flags.fromLerobot !== undefined) return fromLeRobot(flags.fromLerobot, flags, context);
      return flags.walk ? byHand(flags, context) : toLeRobot(flags, context);
    });
};

function checkFlags({ fromLerobot, toLerobot, walk, out }: CalibrateFlags): void {
  const wrong =
    fromLerobot !== undefined && (toLerobot !== undefined || !walk)
      ? '--from-lerobot goes with neither --to-lerobot nor --no-walk'
      : !walk && toLerobot === undefined
        ? '--no-walk is for --to-lerobot alone: without it there is nothing to do'
        : !walk && out !== undefined
          ? '--out is for a calibration, and --no-walk makes none'
          : undefined;
  if (wrong !== undefined) throw new KitError('E_USAGE', wrong, 'see kit calibrate --help', 'usage');
}

async function byHand(flags: CalibrateFlags, context: CommandContext): Promise<void> {
  const robot = loadRobot(flags.robot);
  const { spec } = robot;
  const named = robotBus(robot, flags.port);
  const folder = folderToWrite(robot, flags.out, 'a calibration is of one arm');
  const { io, signal } = context;
  const yes = flags.yes === true;
  const clock = new RealtimeClock();
  await theLine(
    io,
    `About to calibrate ${spec.name} on ${named.port}: the arm is limp throughout and you move it, first to its zero posture, then each joint through its range. Ctrl-C ends it, and nothing is written before you are asked.\nPress Enter to begin. `,
    signal,
  );
  const { walked, written, memories } = await withServiceBus(io, named, clock, async bus => {
    const { servos } = named;
    const options = { bus, clock, io, signal, servos };
    const found = await servoMemories(bus, servos);
    checkPositionMode(servos, found);
    const arm = await LimpArm.relax(options, yes);
    const walked = await walk({ ...options, arm, spec, memories: found });
    const written = await writeCalibration(
      { robot, folder, servos: walked.servos, offsets: walked.offsets, bus },
      context,
      yes,
    );
    // The servos have confirmed their new offsets.
    const offsetOf = (id: number) => walked.offsets.find(({ servo }) => servo.id === id)?.to;
    const memories = found.map((memory, j) => ({
      ...memory,
      homingOffset: offsetOf(servos[j]!.id) ?? memory.homingOffset,
    }));
    return { walked, written, memories };
  });
  const { toLerobot } = flags;
  if (toLerobot !== undefined)
    await writeLeRobot(
      toLerobot,
      leRobotCalibration(spec, walked.servos, registersOf(memories), walked.reachedCounts),
      context,
      yes,
    );
  context.result({ ...written, ...summary(walked), short: walked.short, leRobotFile: toLerobot }, () =>
    [
      ...writtenWords(written, walked.short),
      ...(toLerobot === undefined ? [] : [`${toLerobot} is written for LeRobot`]),
      `next: ${named.kind === 'feetech' ? `kit device configure --robot ${folder} --port ${named.port}, then ` : ''}kit run --robot ${folder} --port ${named.port} --policy POLICY`,
    ].join('\n'),
  );
}

const registersOf = (memories: readonly ServoMemory[]) =>
  memories.map(({ driveMode, homingOffset }) => ({ drive_mode: driveMode, homing_offset: homingOffset }));

function summary({ servos, reachedRad }: Walked) {
  return {
    joints: servos.map(({ joint, id, zeroCount, direction }, j) => ({
      joint,
      id,
      zeroCount,
      direction,
      reachedRad: reachedRad[j],
    })),
  };
}

async function writeLeRobot(
  path: string,
  calibration: LeRobotCalibration,
  { io }: CommandContext,
  yes: boolean,
): Promise<void> {
  if (existsSync(path)) await confirm(io, `About to replace ${path}`, yes);
  try {
    writeDurably(path, `${JSON.stringify(calibration, null, 4)}\n`);
  } catch (error) {
    throw new KitError('E_LEROBOT_WRITE', `can't write ${path}: ${messageOf(error)}`, 'name another file', 'usage');
  }
}

async function toLeRobot(flags: CalibrateFlags, context: CommandContext): Promise<void> {
  const robot = loadRobot(flags.robot);
  const named = robotBus(robot, flags.port);
  const file = flags.toLerobot!;
  const memories = await withServiceBus(context.io, named, new RealtimeClock(), bus =>
    servoMemories(bus, named.servos),
  );
  const calibration = leRobotCalibration(robot.spec, named.servos, registersOf(memories));
  await writeLeRobot(file, calibration, context, flags.yes === true);
  context.result(
    { leRobotFile: file, calibration },
    () => `${file} is written: ranges of robot.json, homing offsets of the servos`,
  );
}

async function fromLeRobot(file: string, flags: CalibrateFlags, context: CommandContext): Promise<void> {
  const robot = loadRobot(flags.robot);
  const { spec } = robot;
  const folder = folderToWrite(robot, flags.out, 'a calibration is of one arm');
  const calibration = readJsonFile(file, leRobotCalibrationSchema, "LeRobot's calibration");
  const servos = servosFromLeRobot(spec, countedServos(robot), calibration);
  const motors = spec.joints.map(({ name }) => calibration[leRobotName(name)]!);
  const short = spec.joints.flatMap((joint, j) => {
    const { range_min, range_max } = motors[j]!;
    const ends = [range_min, range_max].map(count => angleOfTurn(servos[j]!, count)).sort((a, b) => a - b);
    return shortOfRange(joint, ends as unknown as Range) ?? [];
  });
  checkDynamixelOffsets(servos, motors);
  const yes = flags.yes === true;
  const calibrated = { robot, folder, servos };
  const { port } = flags;
  if (port === undefined)
    context.io.err(
      "It holds as long as the servos have the file's homing offsets, as LeRobot leaves them; with --port PATH they are looked at.",
    );
  const written =
    port === undefined
      ? await writeCalibration({ ...calibrated, offsets: [] }, context, yes)
      : await withServiceBus(context.io, { ...robotBus(robot, port), servos }, new RealtimeClock(), async bus => {
          const offsets = await offsetEdits(bus, servos, motors);
          return writeCalibration({ ...calibrated, offsets, bus }, context, yes);
        });
  context.result({ ...written, short }, () => writtenWords(written, short).join('\n'));
}

/** The counts of the file are those of servos with the file's homing offsets. @throws KitError E_HOMING_OFFSET where a servo must not get its own */
async function offsetEdits(
  bus: ServiceBus,
  servos: readonly CountedServo[],
  motors: readonly LeRobotMotor[],
): Promise<OffsetEdit[]> {
  const memories = await servoMemories(bus, servos);
  checkPositionMode(servos, memories);
  const offsets = servos
    .map((servo, j) => ({ servo, from: memories[j]!.homingOffset, to: motors[j]!.homing_offset }))
    .filter(({ from, to }) => from !== to);
  if (offsets.length === 0 || bus.kind === 'feetech') return offsets;
  throw homingOffset(
    `the servos have other homing offsets than the file: ${offsets.map(({ servo, from, to }) => `${servo.joint} ${from} instead of ${to}`).join(', ')}`,
  );
}

/** LeRobot drives Dynamixels in extended mode, in which any offset counts. @throws KitError E_HOMING_OFFSET */
function checkDynamixelOffsets(servos: readonly CountedServo[], motors: readonly LeRobotMotor[]): void {
  const beyond = servos.filter(
    ({ kind }, j) => kind === 'dynamixel' && Math.abs(motors[j]!.homing_offset) > maxDynamixelOffset,
  );
  if (beyond.length > 0)
    throw homingOffset(
      `the file's homing offsets of ${beyond.map(({ joint }) => joint).join(', ')} are beyond ${maxDynamixelOffset} counts, and a Dynamixel in position mode ignores such`,
    );
}

function homingOffset(message: string): KitError {
  const hint =
    'calibrate by hand, without --from-lerobot; a Dynamixel in position mode takes offsets of a quarter turn at most';
  return new KitError('E_HOMING_OFFSET', message, hint, 'usage');
}
