/** `kit calibrate`: which count of each servo is 0 rad, found by hand, or taken from LeRobot's calibration file, or written as one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeHomingOffset } from '@sim2servo/firmware-bridge/homing';
import type { ServiceBus, ServoMemory } from '@sim2servo/firmware-bridge/service-bus';
import { writeDurably } from '@sim2servo/models/durable-file';
import { KitError, messageOf } from '@sim2servo/models/error';
import { readJsonFile } from '@sim2servo/models/json-file';
import {
  type LeRobotCalibration,
  leRobotCalibration,
  leRobotCalibrationSchema,
  leRobotName,
  servosFromLeRobot,
} from '@sim2servo/models/lerobot-calibration';
import { type LoadedRobot, loadRobot } from '@sim2servo/models/robot-folder';
import { angleOfTurn } from '@sim2servo/models/servo-scale';
import type { CountedServo } from '@sim2servo/models/site';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import { checkPositionMode, LimpArm, servoMemories } from '../calibration/limp-arm.js';
import { type Range, shortOfRange } from '../calibration/reach.js';
import { calibrationFolder, editsOf, editWords, writeSite } from '../calibration/site-file.js';
import { theLine, type Walked, walk } from '../calibration/walk.js';
import type { AddCommand, CommandContext } from '../command-context.js';
import { confirm } from '../io.js';
import { countedServos, robotBus, withServiceBus } from '../named-bus.js';

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
  const folder = calibrationFolder(robot, flags.out);
  const { io, signal } = context;
  const yes = flags.yes === true;
  const clock = new RealtimeClock();
  await theLine(
    io,
    `About to calibrate ${spec.name} on ${named.port}: the arm is limp throughout and you move it, first to its zero posture, then each joint through its range. Ctrl-C ends it, and nothing is written before you are asked.\nPress Enter to begin. `,
    signal,
  );
  const { walked, memories } = await withServiceBus(io, named, clock, async bus => {
    const { servos } = named;
    const options = { bus, clock, io, signal, servos };
    const found = await servoMemories(bus, servos);
    checkPositionMode(servos, found);
    const arm = await LimpArm.relax(options, yes);
    const walked = await walk({ ...options, arm, spec, memories: found, yes });
    // Homing offsets may be others now.
    return { walked, memories: await servoMemories(bus, servos) };
  });
  const written = await write(robot, folder, walked.servos, context, yes);
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
      ...written.changes.map(editWords),
      `${written.path} ${written.changes.length === 0 ? 'stays as it is' : 'is written'}${written.backup === undefined ? '' : `; the old one is ${written.backup}`}`,
      ...walked.short.map(words => `mind: ${words}; narrow it there before the arm is run`),
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

/** Shows what would change, asks, writes. */
async function write(
  robot: LoadedRobot,
  folder: string,
  servos: readonly CountedServo[],
  { io }: CommandContext,
  yes: boolean,
) {
  const changes = editsOf(robot, servos);
  const path = join(folder, 'site.json');
  if (changes.length === 0 && folder === robot.folder) return { path, changes, backup: undefined };
  const words = changes.length === 0 ? '  no figure changes' : changes.map(editWords).join('\n');
  await confirm(io, `\nAbout to write ${path}:\n${words}`, yes);
  return { path, changes, backup: writeSite(robot, folder, servos) };
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
  const folder = calibrationFolder(robot, flags.out);
  const calibration = readJsonFile(file, leRobotCalibrationSchema, "LeRobot's calibration");
  const servos = servosFromLeRobot(spec, countedServos(robot), calibration);
  const motors = spec.joints.map(({ name }) => calibration[leRobotName(name)]!);
  const short = spec.joints.flatMap((joint, j) => {
    const { range_min, range_max } = motors[j]!;
    const ends = [range_min, range_max].map(count => angleOfTurn(servos[j]!, count)).sort((a, b) => a - b);
    return shortOfRange(joint, ends as unknown as Range) ?? [];
  });
  const yes = flags.yes === true;
  if (flags.port === undefined)
    context.io.err(
      "It holds as long as the servos have the file's homing offsets, as LeRobot leaves them; with --port PATH they are looked at.",
    );
  else {
    const named = { ...robotBus(robot, flags.port), servos };
    const offsets = motors.map(motor => motor.homing_offset);
    await withServiceBus(context.io, named, new RealtimeClock(), bus =>
      alignOffsets(bus, servos, offsets, context, yes),
    );
  }
  const written = await write(robot, folder, servos, context, yes);
  context.result({ ...written, short }, () =>
    [
      ...written.changes.map(editWords),
      `${written.path} ${written.changes.length === 0 ? 'stays as it is' : 'is written'}${written.backup === undefined ? '' : `; the old one is ${written.backup}`}`,
      ...short.map(words => `mind: ${words}; narrow it there before the arm is run`),
    ].join('\n'),
  );
}

/** The counts of the file are those of servos with the file's homing offsets: a servo with another one gets it, or it is said. */
async function alignOffsets(
  bus: ServiceBus,
  servos: readonly CountedServo[],
  offsets: readonly number[],
  { io }: CommandContext,
  yes: boolean,
): Promise<void> {
  const memories = await servoMemories(bus, servos);
  checkPositionMode(servos, memories);
  const others = servos.flatMap((servo, j) =>
    memories[j]!.homingOffset === offsets[j] ? [] : [{ servo, from: memories[j]!.homingOffset, to: offsets[j]! }],
  );
  if (others.length === 0) return;
  const words = others.map(
    ({ servo, from, to }) => `  servo ${servo.id} (${servo.joint}): homing offset ${from} → ${to}`,
  );
  if (bus.kind !== 'feetech')
    throw new KitError(
      'E_HOMING_OFFSET',
      `the servos have other homing offsets than the file:\n${words.join('\n')}`,
      'connect once with LeRobot and have it write its file into the servos, or calibrate by hand: kit calibrate without --from-lerobot',
      'usage',
    );
  await confirm(
    io,
    `About to write into the memory of the servos, as LeRobot does with its file:\n${words.join('\n')}`,
    yes,
  );
  for (const { servo } of others)
    if ((await bus.sample(servo.id))?.torque !== false)
      throw new KitError(
        'E_SERVO_TORQUE',
        `the torque of servo ${servo.id} of joint '${servo.joint}' is on, and a servo's memory is only written without`,
        'support the arm and let it go limp first',
        'safetyStop',
      );
  for (const { servo, to } of others) await writeHomingOffset(bus, servo.id, to);
}
