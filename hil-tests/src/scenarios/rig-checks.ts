/**
 * What every arm behind a `ServoMotion` must do, whatever bus or rig it is on: limp until armed, never a jump, still when nobody speaks.
 * Judged by the measured joints. Each check begins with a host that has just come.
 */
import { createServoState, type ServoMotion, type ServoState } from '@sim2servo/firmware-bridge/servo-link';
import { KitError } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { Rig } from '../rig/rig.js';

/** Between two readings of a joint that stands: 1.5 counts of noise each way, and backlash. */
const stillRad = 0.03;
/** Noise, backlash and the friction that a small error of a servo does not overcome. */
const arrivedRad = 0.08;
const stepRad = 0.015;
const swingRad = 0.3;
const readTimeoutUs = 100_000;
/** Of a host on a device that has no period of its own. */
const ownPeriodUs = 20_000;

export interface RigCheck {
  readonly name: string;
  /** @throws KitError E_RIG_CHECK with what was seen instead; E_RIG_LATE where this machine was too slow to feed the arm */
  run(host: RigHost): Promise<void>;
}

/** A host on a rig, as far as the checks need one. */
export class RigHost {
  readonly motion: ServoMotion;
  readonly state: ServoState;
  readonly #rig: Rig;
  readonly #robot: LoadedRobot;
  #dueUs = 0;

  private constructor(rig: Rig, robot: LoadedRobot, motion: ServoMotion) {
    this.#rig = rig;
    this.#robot = robot;
    this.motion = motion;
    this.state = createServoState(robot.spec.joints.length);
  }

  static async on(rig: Rig, robot: LoadedRobot, use: (host: RigHost) => Promise<void>): Promise<void> {
    const link = rig.connect();
    const host = new RigHost(rig, robot, await link.open());
    try {
      await use(host);
    } finally {
      await link.close();
    }
  }

  async read(): Promise<Float64Array> {
    const { clock } = this.#rig;
    await clock.waitUntil(this.#dueUs);
    const askedUs = clock.nowUs();
    if (!(await this.motion.read(this.state, readTimeoutUs))) throw failed('a sample within 100 ms', 'none');
    // Servos that answer whenever they are asked do not say when a period is over.
    this.#dueUs = this.state.periodUs === 0 ? Math.max(askedUs, this.#dueUs + ownPeriodUs) : 0;
    return Float64Array.from(this.state.position);
  }

  /** Says nothing for a while, and has the newest sample afterwards. */
  async silent(us: number): Promise<Float64Array> {
    const { clock } = this.#rig;
    const until = clock.nowUs() + us;
    await clock.waitUntil(until);
    let position = await this.read();
    while (this.state.sampledAtUs < until) position = await this.read();
    return position;
  }

  /** Arms where it stands. */
  async arm(): Promise<Float64Array> {
    await this.read();
    await this.motion.arm();
    return this.read();
  }

  /** Follows a ramp of small steps to `to`, then stays there for `restTicks`. */
  async moveTo(to: Float64Array, restTicks = 50): Promise<Float64Array> {
    const target = Float64Array.from(this.state.position);
    for (let left = restTicks; left > 0; ) {
      let arrived = true;
      for (let j = 0; j < target.length; j++) {
        const way = to[j]! - target[j]!;
        target[j]! += Math.max(-stepRad, Math.min(stepRad, way));
        if (Math.abs(way) > stepRad) arrived = false;
      }
      this.motion.write(target);
      await this.read();
      if (this.state.device !== 'armed')
        throw new KitError(
          'E_RIG_LATE',
          `the arm stopped in mid-motion: ${this.state.reason}`,
          'this machine is too busy for a rig in real time: try again when it is not',
        );
      if (arrived) left--;
    }
    return Float64Array.from(this.state.position);
  }

  /** A place a swing away from `from`, towards the middle of each joint's range. */
  swing(from: Float64Array): Float64Array {
    return Float64Array.from(this.#robot.spec.joints, ({ range }, j) => {
      const middle = (range[0] + range[1]) / 2;
      return from[j]! + Math.sign(middle - from[j]! || 1) * swingRad;
    });
  }

  unarmed(): void {
    if (this.state.device === 'armed') throw failed('a device that is not armed', 'armed');
  }

  device(expected: ServoState['device']): void {
    const { device, reason } = this.state;
    if (device !== expected) throw failed(`a device that is ${expected}`, `${device} (${reason})`);
  }
}

function failed(expected: string, seen: string): KitError {
  return new KitError('E_RIG_CHECK', `expected ${expected}, saw ${seen}`, 'do not trust this arm: report it');
}

function near(expected: Float64Array, seen: Float64Array, withinRad: number, what: string): void {
  const gap = Math.max(...expected.map((angle, j) => Math.abs(angle - seen[j]!)));
  if (!(gap <= withinRad)) throw failed(`${what} within ${withinRad} rad`, `${gap.toFixed(3)} rad`);
}

export const rigChecks: readonly RigCheck[] = [
  {
    name: 'nothing moves because a host came',
    async run(host) {
      const first = await host.read();
      host.unarmed();
      near(first, await host.silent(300_000), stillRad, 'an arm that stays');
      host.unarmed();
    },
  },
  {
    name: 'motion before arming is refused on the host',
    async run(host) {
      const target = host.swing(await host.read());
      try {
        host.motion.write(target);
      } catch (error) {
        if ((error as KitError).code === 'E_NOT_ARMED') return;
        throw error;
      }
      throw failed('E_NOT_ARMED', 'nothing');
    },
  },
  {
    name: 'arming moves nothing',
    async run(host) {
      const before = await host.read();
      await host.arm();
      near(before, await host.moveTo(before, 20), stillRad, 'an arm that stays');
    },
  },
  {
    name: 'it goes where it is told, and back',
    async run(host) {
      const home = await host.arm();
      const away = host.swing(home);
      near(away, await host.moveTo(away), arrivedRad, 'to be there');
      near(home, await host.moveTo(home), arrivedRad, 'to be back');
    },
  },
  {
    name: 'a host that falls silent leaves an arm that holds, latched, with the reason',
    async run(host) {
      const away = host.swing(await host.arm());
      const there = await host.moveTo(away, 10);
      const later = await host.silent(500_000);
      host.device('latched');
      if (host.state.reason !== 'no motion command came in time')
        throw failed('the deadline as the reason', `'${host.state.reason}'`);
      near(there, later, arrivedRad, 'an arm that stays');
      near(later, await host.silent(500_000), stillRad, 'an arm that holds');
    },
  },
  {
    name: 'motion after the latch moves nothing; arming again does',
    async run(host) {
      await host.arm();
      const before = await host.silent(300_000);
      host.device('latched');
      const target = host.swing(before);
      for (let i = 0; i < 10; i++) {
        host.motion.write(target);
        await host.read();
      }
      near(before, Float64Array.from(host.state.position), stillRad, 'an arm that stays');
      host.device('latched');
      await host.arm();
      near(target, await host.moveTo(target), arrivedRad, 'to be there');
    },
  },
  {
    name: 'a hold holds',
    async run(host) {
      const target = host.swing(await host.arm());
      await host.moveTo(target, 10);
      await host.motion.halt('hold');
      const before = await host.silent(100_000);
      host.device('held');
      near(before, await host.silent(500_000), stillRad, 'an arm that holds');
    },
  },
  {
    name: 'a relax lets go',
    async run(host) {
      await host.arm();
      await host.motion.halt('relax');
      await host.silent(100_000);
      host.device('limp');
    },
  },
];

export interface CheckResult {
  readonly name: string;
  readonly passed: boolean;
  /** What was seen instead; empty where it passed. */
  readonly detail: string;
}

/** A machine that is busy with other things may starve the arm in the middle of a motion: then the check is begun again. */
const attempts = 5;

/** @throws KitError where the rig itself fails: no port, no answer, E_RIG_LATE again and again */
export async function checkRig(rig: Rig, robot: LoadedRobot, check: RigCheck): Promise<CheckResult> {
  const { name } = check;
  for (let attempt = 1; ; attempt++)
    try {
      await RigHost.on(rig, robot, host => check.run(host));
      return { name, passed: true, detail: '' };
    } catch (error) {
      const { code, message } = error as KitError;
      if (code === 'E_RIG_CHECK') return { name, passed: false, detail: message };
      if (code !== 'E_RIG_LATE' || attempt === attempts) throw error;
    }
}
