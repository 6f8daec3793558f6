/** desk2 with Dynamixels at its joints: the smallest arm that this bus can have. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LoadedRobot, loadRobot } from '@sim2servo/models/robot-folder';
import type { SiteOn } from '@sim2servo/models/site';

type Model = SiteOn<'dynamixel'>['servos'][number]['model'];

/**
 * Writes the robot into an empty folder.
 *
 * @param models      of shoulder and elbow
 * @param maxVelocity of both, rad/s; desk2's where absent
 */
export function dynamixelRobot(
  folder: string,
  models: readonly [Model, Model],
  deadlineMs = 100,
  maxVelocity?: number,
): LoadedRobot {
  const desk2 = loadRobot('desk2');
  cpSync(desk2.folder, folder, { recursive: true });
  const path = join(folder, 'site.json');
  const { $schema: _site, ...site } = JSON.parse(readFileSync(path, 'utf8'));
  site.bus = { kind: 'dynamixel', baudRate: 1_000_000, deadlineMs };
  site.servos = desk2.spec.joints.map(({ name }, j) => ({
    kind: 'dynamixel',
    model: models[j],
    joint: name,
    id: j + 1,
    zeroCount: 2048,
    direction: j === 0 ? 1 : -1,
  }));
  // The elbow bends one way only: its counts fall from here.
  site.servos[1].zeroCount = 3900;
  writeFileSync(path, JSON.stringify(site));
  const spec = join(folder, 'robot.json');
  const { $schema: _spec, ...robot } = JSON.parse(readFileSync(spec, 'utf8'));
  if (maxVelocity !== undefined) for (const joint of robot.joints) joint.maxVelocity = maxVelocity;
  writeFileSync(spec, JSON.stringify(robot));
  return loadRobot(folder);
}
