/** Changes to a robot's site.json: in its own folder with the old file kept, or in a new folder that becomes a copy of it. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { writeDurably } from '@sim2servo/models/durable-file';
import { KitError } from '@sim2servo/models/error';
import { parseJson } from '@sim2servo/models/json-file';
import { type LoadedRobot, shippedRobots } from '@sim2servo/models/robot-folder';
import { siteSchema } from '@sim2servo/models/site';
import { jsonText } from '@sim2servo/sim/own-arm/robot-files';

/**
 * Where a change is written: the robot's own folder, or a new one.
 *
 * @param why what is written does not belong into a robot that everybody has
 * @throws KitError E_SHIPPED_ROBOT where the kit's own robot would be changed, E_OUT_EXISTS
 */
export function folderToWrite(robot: LoadedRobot, out: string | undefined, why: string): string {
  if (out === undefined) {
    if (!relative(shippedRobots, robot.folder).startsWith('..'))
      throw new KitError(
        'E_SHIPPED_ROBOT',
        `${robot.spec.name} ships with the kit, and ${why}`,
        `add --out FOLDER: it becomes a copy of ${robot.spec.name} with the change in it, and your robot from then on`,
        'usage',
      );
    return robot.folder;
  }
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new KitError('E_OUT_EXISTS', `${out} is not empty`, 'name a new folder', 'usage');
  return resolve(out);
}

/** Of a file in a robot folder, where the editor finds the schema of it. */
const schemas = join(shippedRobots, '..', 'schemas');
const schemaOf = (name: 'robot' | 'site'): string => join(schemas, `${name}.schema.json`);

/**
 * @param folder what {@link folderToWrite} gave
 * @param change alters the file as it stands there, defaults not filled in
 * @returns where the old site.json is kept; undefined where there was none
 * @throws  KitError E_FILE_SCHEMA; nothing is written then
 */
export function rewriteSite(
  robot: LoadedRobot,
  folder: string,
  change: (site: Record<string, unknown>) => void,
): string | undefined {
  const before = readFileSync(join(robot.folder, 'site.json'), 'utf8');
  const site = JSON.parse(before) as Record<string, unknown>;
  change(site);
  const path = join(folder, 'site.json');
  const copied = folder !== robot.folder;
  if (copied) delete site.$schema;
  const after = jsonText(site, folder, schemaOf('site'));
  parseJson(after, siteSchema, `site ${path}`);
  if (copied) copyRobot(robot, folder);
  const backup = copied ? undefined : `${path}.bak`;
  if (backup !== undefined) writeDurably(backup, before);
  writeDurably(path, after);
  return backup;
}

function copyRobot(robot: LoadedRobot, folder: string): void {
  cpSync(robot.folder, folder, { recursive: true });
  const path = join(folder, 'robot.json');
  const { $schema: _, ...content } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, jsonText(content, folder, schemaOf('robot')));
}
