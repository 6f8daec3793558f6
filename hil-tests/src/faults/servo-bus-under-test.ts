/** The servos of a bus on the bench: their registers and their wire lie open. */
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import type { ServoLink } from '@sim2servo/firmware-bridge/servo-link';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { Bus } from '@sim2servo/models/site';
import { type AnyServo, robotBus } from '../rig/bus/create-bus.js';
import type { EmulatedBus } from '../rig/bus/emulated-bus.js';
import type { Mechanics } from '../rig/bus/mechanics.js';
import type { DeviceClock } from '../rig/emulated-device.js';
import { Lockstep } from '../rig/lockstep.js';
import type { ArmUnderTest, ClockOf, Pose } from './arm-under-test.js';

export class ServoBusUnderTest<Servo extends AnyServo = AnyServo, Time extends DeviceClock = DeviceClock>
  implements ArmUnderTest
{
  readonly bus: Bus['kind'];
  readonly robot: LoadedRobot;
  readonly controlRateHz = 100;
  readonly servoBus: EmulatedBus<Servo>;
  readonly clock: Time;
  readonly link: ServoLink;
  readonly trace: Pose[] = [];
  /** What happens to bytes of the host on their way. */
  toServos: (bytes: Uint8Array) => Uint8Array = bytes => bytes;

  private constructor(robot: LoadedRobot, servoBus: EmulatedBus<Servo>, clockOf: ClockOf<Time>) {
    this.bus = robot.site.bus.kind;
    this.robot = robot;
    this.servoBus = servoBus;
    const { mechanics, servos } = servoBus;
    const receive = servoBus.receive.bind(servoBus);
    servoBus.receive = (bytes, timeUs) => receive(this.toServos(bytes), timeUs);
    servoBus.stepped = timeUs =>
      this.trace.push({ timeUs, anglesRad: servos.map((_, servo) => mechanics.angleRad(servo)) });
    holdUntilPowered(mechanics, servos.length);
    const clock = clockOf(servoBus);
    this.clock = clock;
    this.link = createLink({ robot, clock, open: async () => clock.open() });
  }

  /**
   * @typeParam Servo what its site has; nobody checks that
   * @throws KitError E_RIG_BUS, E_RIG_BAUD
   */
  static async create<Servo extends AnyServo, Time extends DeviceClock>(
    robot: LoadedRobot,
    clockOf: ClockOf<Time>,
  ): Promise<ServoBusUnderTest<Servo, Time>> {
    return new ServoBusUnderTest(robot, await robotBus<Servo>(robot), clockOf);
  }

  static alone<Servo extends AnyServo>(this: void, robot: LoadedRobot): Promise<ServoBusUnderTest<Servo>> {
    return ServoBusUnderTest.create<Servo, DeviceClock>(robot, device => new Lockstep(device));
  }

  during<T>(work: Promise<T>): Promise<T> {
    return work;
  }

  freezeSensors(): () => void {
    const { mechanics, servos } = this.servoBus;
    const { counts } = mechanics;
    const frozen = servos.map((_, servo) => counts(servo));
    mechanics.counts = servo => frozen[servo]!;
    return () => {
      mechanics.counts = counts;
    };
  }

  unplug(): void {
    this.clock.unplug();
  }

  replug(): void {
    this.clock.open();
  }

  hostGone(): void {
    this.clock.unplug();
  }

  async dispose(): Promise<void> {
    this.servoBus.dispose();
  }
}

/** A hand holds the arm where it stands until its own servos do: one that has fallen on the desk would be slow to leave it. */
function holdUntilPowered(mechanics: Mechanics, servos: number): void {
  const step = mechanics.step.bind(mechanics);
  const home = Array.from({ length: servos }, (_, servo) => mechanics.counts(servo));
  let powered = false;
  mechanics.step = targets => {
    powered ||= targets.every(target => !Number.isNaN(target));
    step(powered ? targets : targets.map((target, servo) => (Number.isNaN(target) ? home[servo]! : target)));
  };
}
