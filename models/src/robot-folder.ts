/** A robot on disk: `robot.json`, `site.json` and the MJCF scene, in one folder. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalJson, sha256 } from './digest.js';
import { KitError } from './error.js';
import { readJsonFile } from './json-file.js';
import { type RobotSpec, robotSpecSchema } from './robot-spec.js';
import { servoScale } from './servo-scale.js';
import { type Servo, type Site, siteSchema } from './site.js';

export interface LoadedRobot {
  readonly spec: RobotSpec;
  /** Pins policies to what they depend on. Formatting and `$schema` don't count. */
  readonly specSha256: string;
  readonly site: Site;
  readonly folder: string;
  readonly scenePath: string;
}

/** The robots that ship with the kit. */
export const shippedRobots = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'robots');

/** Which of them has a bus of a kind; behind a broker there is none. */
export const shippedRobotOn = { kitlink: 'desk2', feetech: 'so101', dynamixel: 'koch' } as const;

/** The policies that ship with the kit: bundles, named ROBOT-TASK-RATE. */
export const shippedPolicies = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'policies');

export function specDigest(spec: RobotSpec): string {
  const { $schema: _, ...content } = spec;
  return sha256(canonicalJson(content));
}

/** @param nameOrFolder a shipped robot's name, or the path of a folder with a `robot.json` */
export function loadRobot(nameOrFolder: string): LoadedRobot {
  const shipped = join(shippedRobots, nameOrFolder);
  const folder = /^[a-z][a-z0-9-]*$/.test(nameOrFolder) && existsSync(shipped) ? shipped : resolve(nameOrFolder);
  if (!existsSync(join(folder, 'robot.json')))
    throw new KitError(
      'E_ROBOT_UNKNOWN',
      `there is no robot '${nameOrFolder}': ${join(folder, 'robot.json')} does not exist`,
      `name a folder with a robot.json, or one of: ${readdirSync(shippedRobots).join(', ')}`,
      'usage',
    );
  const spec = readJsonFile(join(folder, 'robot.json'), robotSpecSchema, 'robot');
  const site = readJsonFile(join(folder, 'site.json'), siteSchema, 'site');
  if (site.bus.kind !== 'mqtt') servosInOrder(spec, site);
  for (const [i, servo] of site.servos.entries()) {
    const joint = spec.joints.find(j => j.name === servo.joint);
    if (joint === undefined)
      throw new KitError(
        'E_SITE_JOINT',
        `${join(folder, 'site.json')}: servos[${i}].joint: robot ${spec.name} has no joint '${servo.joint}'`,
        `its joints are: ${spec.joints.map(j => j.name).join(', ')}`,
        'usage',
      );
    const misfit = outOfRange(servo, joint.range);
    if (misfit !== undefined)
      throw new KitError(
        'E_SITE_RANGE',
        `${join(folder, 'site.json')}: servos[${i}].${misfit[0]} the range [${joint.range}] of joint '${joint.name}'`,
        misfit[1],
        'usage',
      );
  }
  const scenePath = join(folder, spec.scene);
  return { spec, specSha256: specDigest(spec), site, folder, scenePath };
}

/** What of a servo does not hold a joint's range, in words, and what to do; undefined where it does. */
function outOfRange(servo: Servo, [low, high]: readonly [number, number]): [string, string] | undefined {
  if (servo.kind === 'hobby-pwm') {
    if (low >= servo.angleRad[0] && high <= servo.angleRad[1]) return undefined;
    return [
      `angleRad [${servo.angleRad}] does not hold`,
      'widen angleRad with its pulses, or narrow the range in robot.json',
    ];
  }
  const { lastCount, countsOfAngle } = servoScale(servo);
  const ends = [low, high].map(angle => Math.round(countsOfAngle(angle)));
  if (ends.every(count => count >= 0 && count <= lastCount)) return undefined;
  return [
    `zeroCount ${servo.zeroCount} gives counts ${ends.join(' to ')}, outside 0 to ${lastCount}, over`,
    'mount the horn another way and calibrate, or narrow the range in robot.json',
  ];
}

/**
 * The servo of each joint, in the spec's order.
 *
 * @throws KitError E_SITE_JOINT where a joint has none, as on the host's side of a broker
 */
export function servosInOrder<Kind extends Servo>(spec: RobotSpec, site: { readonly servos: readonly Kind[] }): Kind[] {
  return spec.joints.map(joint => {
    const servo = site.servos.find(({ joint: name }) => name === joint.name);
    if (servo !== undefined) return servo;
    throw new KitError(
      'E_SITE_JOINT',
      `site.json of robot ${spec.name} has no servo for joint '${joint.name}'`,
      'add one under servos',
      'usage',
    );
  });
}
