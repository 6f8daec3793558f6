/**
 * Joints by the sticks of a gamepad, while its dead-man button is held. Linux's joystick interface, without a library: a device file
 * that gives one event of eight bytes for each change, little-endian: u32 time in ms, i16 value, u8 kind, u8 number.
 *
 * The file is read without waiting, once a tick. Nothing comes while nothing changes, so a pad that is out of range is noticed only when the
 * system takes its file away; a cable that is pulled is noticed at once.
 *
 * @see https://www.kernel.org/doc/html/latest/input/joydev/joystick-api.html
 */
import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs';
import type { ControlState } from '@sim2servo/models/control-state';
import { KitError, messageOf } from '@sim2servo/models/error';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { aimByVelocity, velocityWords } from './joint-velocities.js';
import type { TargetSource } from './target-policy.js';

const eventBytes = 8;
const kinds = { button: 0x01, axis: 0x02, init: 0x80 } as const;
const fullDeflection = 32_767;
/** What a stick that nobody touches may show. */
const deadZone = 0.12;
/** The left shoulder button, as Linux's drivers number those of the common pads. */
export const defaultDeadMan = 4;
/** The axis of each joint in turn, and its sense: sticks report away from the player as negative. The triggers (2 and 5) do not rest at 0. */
const axes = [
  { number: 0, sense: -1 },
  { number: 1, sense: -1 },
  { number: 4, sense: -1 },
  { number: 7, sense: -1 },
  { number: 3, sense: 1 },
  { number: 6, sense: 1 },
] as const;
const axisWords = [
  'left stick sideways',
  'left stick',
  'right stick',
  'cross up and down',
  'right stick sideways',
  'cross sideways',
];
const inputFolder = '/dev/input';

/** @throws KitError E_GAMEPAD_NONE */
export function findGamepad(folder = inputFolder): string {
  let names: string[] = [];
  try {
    names = readdirSync(folder)
      .filter(name => /^js\d+$/.test(name))
      .sort();
  } catch {
    // A system without that folder has no gamepad of this kind either; said below.
  }
  const [first] = names;
  if (first !== undefined) return `${folder}/${first}`;
  throw new KitError(
    'E_GAMEPAD_NONE',
    `there is no gamepad: ${folder} has no js0`,
    process.platform === 'linux' ? 'plug one in (modprobe joydev)' : 'gamepads are read on Linux only',
    'noDevice',
  );
}

export class Gamepad implements TargetSource {
  readonly #spec: RobotSpec;
  readonly #path: string;
  readonly #handle: number;
  readonly #speed: number;
  readonly #deadMan: number;
  readonly #shares: Float64Array;
  readonly #deflection = new Float64Array(axes.length);
  readonly #buffer = Buffer.alloc(64 * eventBytes);
  #filled = 0;
  #held = false;

  /** @throws KitError E_GAMEPAD_JOINTS, E_GAMEPAD_OPEN */
  constructor(spec: RobotSpec, path: string, speed: number, deadMan = defaultDeadMan) {
    if (spec.joints.length > axes.length)
      throw new KitError(
        'E_GAMEPAD_JOINTS',
        `${spec.name} has ${spec.joints.length} joints, and a gamepad drives ${axes.length}`,
        'use a leader arm or the keyboard',
        'usage',
      );
    this.#spec = spec;
    this.#path = path;
    this.#speed = speed;
    this.#deadMan = deadMan;
    this.#shares = new Float64Array(spec.joints.length);
    try {
      this.#handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      throw new KitError(
        'E_GAMEPAD_OPEN',
        `can't open the gamepad ${path}: ${messageOf(error)}`,
        'ls /dev/input/js* shows which there are; sudo usermod -aG input $USER, then log in again',
        'noDevice',
        { cause: error },
      );
    }
  }

  help(): string {
    const joints = this.#spec.joints.map(({ name }, j) => `${axisWords[j]}: ${name}`);
    return `hold button ${this.#deadMan} to move; ${joints.join(', ')}`;
  }

  aim(state: Readonly<ControlState>, dtS: number, targets: Float64Array): void {
    this.#readEvents();
    for (let j = 0; j < this.#shares.length; j++) this.#shares[j] = this.#held ? this.#deflection[j]! : 0;
    aimByVelocity(this.#spec, state, this.#shares, this.#speed, dtS, targets);
  }

  /** @throws KitError E_GAMEPAD_GONE */
  #readEvents(): void {
    for (;;) {
      let count: number;
      try {
        count = readSync(this.#handle, this.#buffer, this.#filled, this.#buffer.length - this.#filled, null);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return;
        throw this.#gone(messageOf(error), error);
      }
      if (count === 0) throw this.#gone('nobody is at its other end');
      this.#filled += count;
      const whole = this.#filled - (this.#filled % eventBytes);
      for (let at = 0; at < whole; at += eventBytes) this.#take(at);
      this.#buffer.copyWithin(0, whole, this.#filled);
      this.#filled -= whole;
    }
  }

  #gone(why: string, cause?: unknown): KitError {
    return new KitError(
      'E_GAMEPAD_GONE',
      `the gamepad ${this.#path} has gone: ${why}`,
      'plug it in, then begin again',
      'noDevice',
      {
        cause,
      },
    );
  }

  #take(at: number): void {
    const value = this.#buffer.readInt16LE(at + 4);
    const kind = this.#buffer[at + 6]!;
    const number = this.#buffer[at + 7]!;
    // At the opening the system tells how everything stands. A dead-man button that is down then was pressed for something else.
    if (kind === kinds.button && number === this.#deadMan) this.#held = value !== 0;
    if ((kind & ~kinds.init) !== kinds.axis) return;
    const axis = axes.findIndex(candidate => candidate.number === number);
    if (axis < 0) return;
    const share = (axes[axis]!.sense * value) / fullDeflection;
    const beyond = Math.min(1, (Math.abs(share) - deadZone) / (1 - deadZone));
    this.#deflection[axis] = beyond > 0 ? Math.sign(share) * beyond : 0;
  }

  words(): string {
    return this.#held ? velocityWords(this.#spec, this.#shares) : `button ${this.#deadMan} is not held: stands`;
  }

  close(): void {
    closeSync(this.#handle);
  }
}
