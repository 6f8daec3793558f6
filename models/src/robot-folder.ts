/** A robot on disk: `robot.json`, `site.json` and the MJCF scene, in one folder. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalJson, sha256 } from './digest.js';
import { KitError } from './error.js';
import { readJsonFile } from './json-file.js';
import { type RobotSpec, robotSpecSchema } from './robot-spec.js';
import { type Site, siteSchema } from './site.js';

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
  for (const joint of spec.joints)
    if (!site.servos.some(servo => servo.joint === joint.name))
      throw new KitError(
        'E_SITE_JOINT',
        `${join(folder, 'site.json')} has no servo for joint '${joint.name}'`,
        'add one under servos',
        'usage',
      );
  for (const [i, servo] of site.servos.entries()) {
    const joint = spec.joints.find(j => j.name === servo.joint);
    if (joint === undefined)
      throw new KitError(
        'E_SITE_JOINT',
        `${join(folder, 'site.json')}: servos[${i}].joint: robot ${spec.name} has no joint '${servo.joint}'`,
        `its joints are: ${spec.joints.map(j => j.name).join(', ')}`,
        'usage',
      );
    if (joint.range[0] < servo.angleRad[0] || joint.range[1] > servo.angleRad[1])
      throw new KitError(
        'E_SITE_RANGE',
        `${join(folder, 'site.json')}: servos[${i}].angleRad [${servo.angleRad}] does not hold the range [${joint.range}] of joint '${joint.name}'`,
        'widen angleRad with its pulses, or narrow the range in robot.json',
        'usage',
      );
  }
  const scenePath = join(folder, spec.scene);
  return { spec, specSha256: specDigest(spec), site, folder, scenePath };
}

/** The servo of each joint, in the spec's order. */
export function servosInOrder(spec: RobotSpec, site: Site): Site['servos'] {
  return spec.joints.map(joint => site.servos.find(servo => servo.joint === joint.name)!);
}
