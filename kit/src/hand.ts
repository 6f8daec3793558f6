/** Who moves an arm by hand: a leader arm, the keys of this terminal, or a gamepad. For `kit teleop` and `kit record`. */
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, loadRobot } from '@sim2servo/models/robot-folder';
import { approachRadS } from '@sim2servo/runtime/teleop/approach';
import { defaultDeadMan, findGamepad, Gamepad } from '@sim2servo/runtime/teleop/gamepad';
import { JointKeys } from '@sim2servo/runtime/teleop/joint-keys';
import { defaultSpeed } from '@sim2servo/runtime/teleop/joint-velocities';
import { LeaderArm } from '@sim2servo/runtime/teleop/leader-arm';
import type { TargetSource } from '@sim2servo/runtime/teleop/target-policy';
import { type Command, Option } from 'commander';
import { type Arm, linkOn } from './arm-at-hand.js';
import type { Io } from './io.js';
import { hasKeys } from './keyboard.js';
import { positiveNumber, wholeNumber } from './number-option.js';
import { robotPlace } from './robot-place.js';

/** Below this a tick lasts about as long as a leader may be silent. */
const slowestLeaderHz = 30;

export interface HandFlags {
  readonly leader?: string;
  readonly leaderRobot?: string;
  readonly keyboard?: boolean;
  readonly gamepad?: string | true;
  readonly speed: number;
  readonly deadMan: number;
  readonly rate: number;
}

/** The options behind {@link HandFlags}. */
export function withHandOptions(command: Command): Command {
  return command
    .option('--leader <port>', 'serial port of a second arm of the same kind, moved by hand')
    .option('--leader-robot <folder>', "the leader's own robot folder, with its calibration (default: --robot)")
    .option('--keyboard', 'move joints with the keys of this terminal')
    .addOption(new Option('--gamepad [device]', 'move joints with a gamepad (Linux; default: the first in /dev/input)'))
    .option('--speed <share>', 'of the maximal velocity, for keys and sticks', positiveNumber, defaultSpeed)
    .option(
      '--dead-man <button>',
      'button of the gamepad that must be held for anything to move',
      wholeNumber,
      defaultDeadMan,
    )
    .option('--rate <hz>', 'ticks a second; take that of the policy that is to learn from it', positiveNumber, 50);
}

export interface OpenHand {
  readonly source: TargetSource;
  /** Whether the arm follows already. */
  ready(): boolean;
  /** A key of the terminal; only where {@link Hand.name} is keyboard. */
  press(key: string): void;
  /** How it is used. */
  readonly help: string;
  close(): Promise<void>;
}

/** Chosen and checked; nothing is opened. */
export interface Hand {
  readonly name: 'leader' | 'keyboard' | 'gamepad';
  /** After "About to move so101 on /dev/ttyACM0". */
  readonly how: string;
  /** What happens first; a sentence, or nothing. */
  readonly first: string;
  open(clock: Clock): Promise<OpenHand>;
}

/** @throws KitError E_HAND, E_SPEED, E_LEADER_*, E_NO_KEYBOARD, E_GAMEPAD_NONE */
export function chooseHand(flags: HandFlags, arm: Arm, io: Io): Hand {
  const { leader, keyboard, gamepad, speed } = flags;
  if ([leader, keyboard, gamepad].filter(given => given !== undefined).length !== 1)
    throw new KitError(
      'E_HAND',
      'say who moves the arm, and name one',
      'add --leader PORT, --keyboard or --gamepad',
      'usage',
    );
  if (speed > 1)
    throw new KitError('E_SPEED', `a speed of ${speed} is more than the arm's own`, 'give --speed at most 1', 'usage');
  if (leader !== undefined) return leaderHand(leader, flags, arm, io);
  return keyboard === true ? keyHand(flags, arm, io) : gamepadHand(flags, arm);
}

function leaderHand(port: string, flags: HandFlags, { robot, place }: Arm, io: Io): Hand {
  const leader = flags.leaderRobot === undefined ? robot : loadRobot(flags.leaderRobot);
  checkSameKind(robot, leader);
  if (flags.rate < slowestLeaderHz)
    throw new KitError(
      'E_LEADER_RATE',
      `a leader is read once a tick: at ${flags.rate} Hz one lost reading would stop the arm`,
      `give --rate at least ${slowestLeaderHz}`,
      'usage',
    );
  const leaderPlace = robotPlace(leader, port);
  if (leaderPlace === place)
    throw new KitError(
      'E_LEADER_PORT',
      `${port} is the follower's own port`,
      'name the port of the other arm',
      'usage',
    );
  return {
    name: 'leader',
    how: `after the leader on ${leaderPlace}`,
    first: `It first comes to the leader's posture, at ${approachRadS} rad/s at most, then follows it.\n`,
    async open(clock) {
      const source = await LeaderArm.open({ spec: robot.spec, link: linkOn(io, leader, leaderPlace, clock), clock });
      return {
        source,
        ready: () => source.following,
        press: () => {},
        help: 'Move the leader by hand.',
        close: () => source.close(),
      };
    },
  };
}

function checkSameKind(follower: LoadedRobot, leader: LoadedRobot): void {
  const names = ({ spec }: LoadedRobot) => spec.joints.map(joint => joint.name).join(', ');
  if (names(follower) === names(leader)) return;
  throw new KitError(
    'E_LEADER_JOINTS',
    `the leader ${leader.spec.name} has joints ${names(leader)}; the follower ${follower.spec.name} has ${names(follower)}`,
    'take a leader of the same kind',
    'usage',
  );
}

function keyHand({ speed }: HandFlags, { robot }: Arm, io: Io): Hand {
  if (!hasKeys(io.keys))
    throw new KitError('E_NO_KEYBOARD', 'there are no keys: stdin is not a terminal', 'run it in a terminal', 'usage');
  return {
    name: 'keyboard',
    how: `by the keyboard, at ${speed} of its velocity`,
    first: '',
    async open(clock) {
      const source = new JointKeys(robot.spec, clock, speed);
      return {
        source,
        ready: () => true,
        press: key => void source.press(key),
        help: `Keys, forward and back: ${source.help()}.`,
        close: async () => {},
      };
    },
  };
}

function gamepadHand({ gamepad, speed, deadMan }: HandFlags, { robot }: Arm): Hand {
  const path = typeof gamepad === 'string' ? gamepad : findGamepad();
  return {
    name: 'gamepad',
    how: `by the gamepad ${path}, at ${speed} of its velocity, while its button ${deadMan} is held`,
    first: '',
    async open() {
      const source = new Gamepad(robot.spec, path, speed, deadMan);
      return { source, ready: () => true, press: () => {}, help: source.help(), close: async () => source.close() };
    },
  };
}
