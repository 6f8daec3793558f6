/** An arm of emulated Dynamixels on an emulated wire, in virtual time, and the link that drives it. */
import { DynamixelLink } from '@sim2servo/firmware-bridge/dynamixel/dynamixel-link';
import { createServoState, type ServoMotion, type ServoState } from '@sim2servo/firmware-bridge/servo-link';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { turnOfAngle } from '@sim2servo/models/servo-scale';
import { siteOn } from '@sim2servo/models/site';
import type { Test } from 'tap';
import type { DynamixelServo } from '../../src/rig/bus/dynamixel/dynamixel-servo.js';
import { robotDynamixels } from '../../src/rig/bus/dynamixel/dynamixel-servos.js';
import { EmulatedBus } from '../../src/rig/bus/emulated-bus.js';
import { armMechanics } from '../../src/rig/bus/mechanics.js';
import { Lockstep } from '../../src/rig/lockstep.js';
import { dynamixelRobot } from './dynamixel-robot.js';

/** Shoulder and elbow. */
export const mixed = ['xl430-w250', 'xl330-m288'] as const;
export const alike = ['xl330-m288', 'xl330-m288'] as const;

export class DynamixelBench {
  readonly robot: LoadedRobot;
  readonly bus: EmulatedBus<DynamixelServo>;
  readonly clock: Lockstep;
  readonly link: DynamixelLink;
  readonly state: ServoState;

  private constructor(robot: LoadedRobot, bus: EmulatedBus<DynamixelServo>) {
    this.robot = robot;
    this.bus = bus;
    this.clock = new Lockstep(bus);
    this.link = this.connect();
    this.state = createServoState(robot.spec.joints.length);
  }

  static async on(t: Test, models: Parameters<typeof dynamixelRobot>[1] = mixed): Promise<DynamixelBench> {
    const robot = dynamixelRobot(t.testdir({}), models);
    const mechanics = await armMechanics(robot);
    const bus = new EmulatedBus(
      robotDynamixels(robot, mechanics),
      mechanics,
      siteOn(robot.site, 'dynamixel').bus.baudRate,
    );
    t.teardown(() => bus.dispose());
    return new DynamixelBench(robot, bus);
  }

  connect(): DynamixelLink {
    const { spec, site } = this.robot;
    return new DynamixelLink({ clock: this.clock, spec, site, open: async () => this.clock.open() });
  }

  get servos(): readonly DynamixelServo[] {
    return this.bus.servos;
  }

  rest(us: number): Promise<void> {
    return this.clock.waitUntil(this.clock.nowUs() + us);
  }

  /** Every servo's own word. */
  values(name: string): number[] {
    return this.servos.map(({ table }) => table.get(name));
  }

  async armed(): Promise<ServoMotion> {
    const motion = await this.link.open();
    await motion.arm();
    await motion.read(this.state, 20_000);
    return motion;
  }

  /** One tick of 10 ms. */
  async tick(motion: ServoMotion, targets?: Float64Array): Promise<boolean> {
    const from = this.clock.nowUs();
    const fresh = await motion.read(this.state, 5_000);
    if (targets !== undefined) motion.write(targets);
    await this.clock.waitUntil(from + 10_000);
    return fresh;
  }

  counts(targets: ArrayLike<number>): number[] {
    return this.robot.spec.joints.map(({ name }, j) => {
      const servo = this.robot.site.servos.find(one => one.joint === name)!;
      if (servo.kind === 'hobby-pwm') throw new Error('no counted servo');
      return Math.round(turnOfAngle(servo, targets[j]!));
    });
  }
}
