/** A robot's folders as provisioning leaves them, with a policy that was deployed; the program is the one that was just built. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shippedPolicies, shippedRobots } from '@sim2servo/models/robot-folder';
import { deployToFolder } from '@sim2servo/runtime/releases/deploy-to-folder';
import { robotPlaces } from '../../src/robot/robot-places.js';

export const builtProgram = fileURLToPath(new URL('../../src/robot/main.js', import.meta.url));

/** Not below a fixture: the path of a unix socket is short. */
export function installedRoot(): { root: string; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), 'robot-'));
  const { robot, store, logs, socket } = robotPlaces(root);
  for (const folder of [robot, store, logs, join(socket, '..')]) mkdirSync(folder, { recursive: true });
  cpSync(join(shippedRobots, 'so101'), robot, { recursive: true });
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

export const shippedPolicy = join(shippedPolicies, 'so101-reach-50hz');
export const deployShipped = (root: string) => deployToFolder(shippedPolicy, robotPlaces(root).store);

/** Runs a command of the program to its end. */
export function robotProgram(args: readonly string[], command: readonly string[] = [process.execPath, builtProgram]) {
  const [program, ...first] = command;
  const { status, stdout, stderr } = spawnSync(program!, [...first, ...args], { encoding: 'utf8' });
  return { status, stderr, stdout, answer: () => JSON.parse(stdout) };
}

export interface RunningService {
  readonly process: ChildProcess;
  readonly said: () => string;
  /** Exit code, once it has ended. */
  readonly ended: Promise<number | null>;
}

export function startService(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  command: readonly string[] = [process.execPath, builtProgram],
): RunningService {
  const [program, ...first] = command;
  const child = spawn(program!, [...first, 'run', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let said = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  return { process: child, said: () => said, ended: new Promise(resolve => child.on('close', resolve)) };
}

/** What a service says that drives. */
export const drivingState = {
  motion: 'driving',
  robot: 'so101',
  words: '',
  ticks: 1,
  pid: 1,
  firstTickAtMs: 0,
  rssBytes: 1,
  lostNotifications: 0,
};
