/** The robots of a fleet as its inventory file has them, and those of them that are meant. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { hostAndPort } from '@sim2servo/firmware-bridge/mqtt/broker-error';
import { KitError } from '@sim2servo/models/error';
import { fleetSchema } from '@sim2servo/models/fleet';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { parseStrictJson } from '@sim2servo/models/strict-json';
import type { ConnectOptions } from '../targets/connect.js';
import { parseTarget, printableTarget, type Target } from '../targets/target.js';

export interface FleetRobot {
  readonly name: string;
  readonly target: Target;
  /** The target as it may be printed. */
  readonly to: string;
  /** How `kit deploy` gets there: its flags, as they may be printed. */
  readonly flags: string;
  readonly groups: readonly string[];
  readonly options: ConnectOptions;
}

/**
 * In the order of the file.
 *
 * @throws KitError E_FILE_*, E_TARGET, E_FLEET_TWICE where two names mean one robot
 */
export function readFleet(path: string): readonly FleetRobot[] {
  if (!existsSync(path))
    throw new KitError(
      'E_FLEET_FILE',
      `there is no inventory ${path}`,
      'name one with --fleet, or write it: {"format": "sim2servo/fleet@1", "robots": {"desk1": {"to": "pi@desk1", "groups": ["lab"]}}}',
      'usage',
    );
  const { sshConfig, ca, cert, key, robots } = parseStrictJson(readFileSync(path), fleetSchema, `inventory ${path}`);
  const beside = (name: string | undefined) => (name === undefined ? undefined : resolve(dirname(path), name));
  const common = { sshConfig: beside(sshConfig), ca: beside(ca), cert: beside(cert), key: beside(key) };
  const names = new Map<string, string>();
  return Object.entries(robots).map(([name, { to, groups, robot }]) => {
    const parsed = targetOf(name, to);
    const target = parsed.kind === 'folder' ? { ...parsed, path: beside(parsed.path)! } : parsed;
    const place = placeOf(target);
    const other = names.get(place);
    const text = target.kind === 'folder' ? target.path : printableTarget(to);
    if (other !== undefined)
      throw new KitError('E_FLEET_TWICE', `${other} and ${name} are both at ${text}`, `mend ${path}`, 'usage');
    names.set(place, name);
    const options = { ...common, robot: robotOf(beside, robot), batch: true };
    return { name, target, to: text, flags: flagsOf(target.kind, text, options), groups, options };
  });
}

function flagsOf(kind: Target['kind'], to: string, { sshConfig, ca, cert, key, robot }: ConnectOptions): string {
  const named = { folder: { robot }, ssh: { 'ssh-config': sshConfig }, mqtt: { ca, cert, key } }[kind];
  const more = Object.entries(named).flatMap(([flag, value]) => (value === undefined ? [] : [` --${flag} ${value}`]));
  return `--to ${to}${more.join('')}`;
}

/** A robot folder may lie beside the inventory; what does not is the name of a shipped one. @throws KitError E_ROBOT_*, E_FILE_* */
function robotOf(beside: (name: string) => string | undefined, robot: string | undefined): string | undefined {
  if (robot === undefined) return undefined;
  const folder = beside(robot)!;
  const known = existsSync(folder) ? folder : robot;
  loadRobot(known);
  return known;
}

/** The same for two targets that are one robot. What an ssh configuration makes of a name is not looked at. */
function placeOf(target: Target): string {
  switch (target.kind) {
    case 'folder':
      return target.path;
    case 'ssh':
      return `ssh ${target.destination}:${target.port ?? 22}`;
    case 'mqtt': {
      const { host, port } = hostAndPort(target.broker);
      return `mqtt ${host}:${port}/${target.name}`;
    }
  }
}

function targetOf(name: string, to: string): Target {
  try {
    // In a file what is meant does not depend on which folders are where somebody stands.
    return parseTarget(to.includes('@') && !to.includes('/') ? `ssh://${to}` : to);
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    throw new KitError(
      error.code,
      `robot ${name}: ${error.message}`,
      `"to" is a folder, user@host[:port], or mqtt://broker/robot`,
      'usage',
    );
  }
}

export interface Selection {
  /** Robots of any of these; all, where none is named. */
  readonly groups?: readonly string[];
  readonly without?: readonly string[];
}

/** @throws KitError E_FLEET_GROUP, E_FLEET_ROBOT, E_FLEET_EMPTY */
export function selected(
  fleet: readonly FleetRobot[],
  { groups = [], without = [] }: Selection,
): readonly FleetRobot[] {
  const known = new Set(fleet.flatMap(robot => robot.groups));
  for (const group of groups)
    if (!known.has(group))
      throw new KitError(
        'E_FLEET_GROUP',
        `no robot is in group '${group}'`,
        known.size === 0 ? 'the inventory has no groups' : `there are: ${[...known].sort().join(', ')}`,
        'usage',
      );
  for (const name of without)
    if (!fleet.some(robot => robot.name === name))
      throw new KitError('E_FLEET_ROBOT', `no robot is called '${name}'`, 'see kit fleet list', 'usage');
  const chosen = fleet.filter(
    robot =>
      !without.includes(robot.name) && (groups.length === 0 || groups.some(group => robot.groups.includes(group))),
  );
  if (chosen.length > 0) return chosen;
  throw new KitError('E_FLEET_EMPTY', 'no robot is left', 'name another --group, or fewer with --without', 'usage');
}
