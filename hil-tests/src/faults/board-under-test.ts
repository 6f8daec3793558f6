/** The real firmware image with an arm on the bench, and a hand on each frame of its link in both directions. */
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import type { ServoLink } from '@sim2servo/firmware-bridge/servo-link';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { ArmOnBoard } from '../rig/arm-on-board.js';
import type { EmulatedDevice } from '../rig/emulated-device.js';
import { Lockstep } from '../rig/lockstep.js';
import { type ArmUnderTest, type Pose, poseUs } from './arm-under-test.js';

/** What comes of a frame of the board: when it reaches the host, and as what. */
export interface Heard {
  readonly bytes: Uint8Array;
  readonly delayUs: number;
}

/** Ends each frame (COBS). */
const delimiter = 0;

export class BoardUnderTest implements ArmUnderTest, EmulatedDevice {
  readonly bus = 'kitlink';
  readonly controlRateHz = 50;
  readonly robot: LoadedRobot;
  readonly device: ArmOnBoard;
  readonly clock: Lockstep;
  readonly link: ServoLink;
  readonly trace: Pose[] = [];
  /** Every write of the host as it was meant, in order. */
  readonly written: Uint8Array[] = [];
  /** What happens to a write of the host, and to a frame of the board; undefined swallows it. */
  toBoard: (bytes: Uint8Array) => Uint8Array = bytes => bytes;
  fromBoard: (frame: Uint8Array) => Heard | undefined = bytes => ({ bytes, delayUs: 0 });
  #frame: number[] = [];
  #underway: { readonly dueUs: number; readonly bytes: Uint8Array }[] = [];

  private constructor(robot: LoadedRobot, device: ArmOnBoard) {
    this.robot = robot;
    this.device = device;
    const clock = new Lockstep(this);
    this.clock = clock;
    this.link = createLink({ robot, clock, open: async () => clock.open() });
  }

  static async create(this: void, robot: LoadedRobot): Promise<BoardUnderTest> {
    return new BoardUnderTest(robot, await ArmOnBoard.create({ robot, imagePath: firmwareImage }));
  }

  get nowUs(): number {
    return this.device.nowUs;
  }

  portOpened(): void {
    this.device.portOpened();
  }

  receive(bytes: Uint8Array): void {
    this.written.push(bytes.slice());
    const sent = this.toBoard(bytes);
    if (sent.length > 0) this.device.receive(sent);
  }

  /** Bytes for the host that the board knows nothing of. */
  say({ bytes, delayUs }: Heard): void {
    this.#underway.push({ dueUs: this.nowUs + delayUs, bytes });
  }

  runUntil(timeUs: number): Uint8Array {
    for (const byte of this.device.runUntil(timeUs)) {
      this.#frame.push(byte);
      if (byte !== delimiter) continue;
      const heard = this.fromBoard(Uint8Array.from(this.#frame));
      this.#frame = [];
      if (heard !== undefined) this.say(heard);
    }
    this.#look(timeUs);
    const due = this.#underway.filter(({ dueUs }) => dueUs <= timeUs);
    if (due.length > 0) this.#underway = this.#underway.filter(({ dueUs }) => dueUs > timeUs);
    return Uint8Array.from(due.flatMap(({ bytes }) => Array.from(bytes)));
  }

  #look(timeUs: number): void {
    if (timeUs < (this.trace.at(-1)?.timeUs ?? Number.NEGATIVE_INFINITY) + poseUs) return;
    const { arm } = this.device;
    this.trace.push({ timeUs, anglesRad: Array.from({ length: arm.joints }, (_, joint) => arm.angle(joint)) });
  }

  during<T>(work: Promise<T>): Promise<T> {
    return work;
  }

  freezeSensors(): () => void {
    const { device } = this;
    const { sensor } = device;
    const frozen = this.robot.spec.joints.map((_, joint) => sensor(joint));
    device.sensor = joint => frozen[joint]!;
    return () => {
      device.sensor = sensor;
    };
  }

  unplug(): void {
    this.clock.unplug();
  }

  /** A board whose port nobody opens is not reset by its cable alone: it has its own supply. */
  replug(): void {}

  hostGone(): void {
    this.clock.unplug();
  }

  async dispose(): Promise<void> {
    this.device.arm.dispose();
  }
}
