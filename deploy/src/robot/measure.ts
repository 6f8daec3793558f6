/**
 * `sim2servo-robot measure`: the service, started beside for a moment as a process of its own: how soon it ticks, what memory it takes.
 * That it is started moves nothing.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KitError, messageOf } from '@sim2servo/models/error';
import type { ServiceState } from './control-protocol.js';
import { askService } from './control-socket.js';
import type { RobotCommand } from './robot-command.js';
import { placeOptions, robotPlaces } from './robot-places.js';

/** What `measure` prints, as one line of JSON. */
export interface ServiceMeasure {
  /** From the start of the process, loading the policy included. */
  readonly firstTickMs: number;
  /** Resident while it waits, some ticks later. */
  readonly rssBytes: number;
}

const longestStartMs = 30_000;
const settleMs = 1_000;

export const measure: RobotCommand = {
  words: 'start the service beside for a moment: time to its first tick, and memory. Nothing moves',
  options: placeOptions,
  async act({ root, ...named }) {
    const { robot, store } = { ...robotPlaces(root), ...named };
    process.stdout.write(`${JSON.stringify(await measureService(robot, store))}\n`);
  },
};

/** @throws KitError E_SERVICE_START with what it wrote */
async function measureService(robot: string, store: string): Promise<ServiceMeasure> {
  const folder = mkdtempSync(join(tmpdir(), 'sim2servo-'));
  const socket = join(folder, 'control.sock');
  const startedAtMs = Date.now();
  const { NOTIFY_SOCKET: _, ...env } = process.env;
  const child = spawn(
    process.execPath,
    [...process.execArgv, process.argv[1]!, 'run', '--robot', robot, '--store', store, '--socket', socket],
    { stdio: ['ignore', 'ignore', 'pipe'], env },
  );
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const over = new Promise<void>(resolve => {
    child.on('error', error => {
      errors += messageOf(error);
      resolve();
    });
    child.on('exit', () => resolve());
  });
  let ended = false;
  void over.then(() => {
    ended = true;
  });
  try {
    let state: ServiceState | undefined;
    while (!(state !== undefined && state.ticks > 1)) {
      if (ended || Date.now() - startedAtMs > longestStartMs)
        throw new KitError(
          'E_SERVICE_START',
          `the service ${ended ? 'ended at once' : `did not tick within ${longestStartMs / 1000} s`}: ${errors.trim()}`,
          'see the lines above',
        );
      await sleep(20);
      state = await askService(socket, { do: 'state' }).catch((error: KitError) => {
        if (error.code === 'E_SERVICE_ABSENT') return undefined;
        throw error;
      });
    }
    await sleep(settleMs);
    const { firstTickAtMs, rssBytes } = await askService(socket, { do: 'state' });
    return { firstTickMs: firstTickAtMs - startedAtMs, rssBytes };
  } finally {
    child.kill('SIGTERM');
    await over;
    rmSync(folder, { recursive: true, force: true });
  }
}
