/** A run of the service: the store's current policy drives the installed arm, and each one that becomes current after it; logged. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import { latencyWarning } from '@sim2servo/firmware-bridge/port-latency';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import type { Clock } from '@sim2servo/models/clock';
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { collectGarbage } from '@sim2servo/runtime/gc-pauses';
import { drawnGoals } from '@sim2servo/runtime/goal-source';
import { runPolicy } from '@sim2servo/runtime/run-policy';
import { currentPolicy } from './installed-robot.js';
import type { DriveOptions, DriveReport } from './service.js';

export interface DriveParts {
  readonly robot: LoadedRobot;
  readonly clock: Clock;
  readonly store: string;
  readonly logs: string;
  /** Wins over the one in site.json. */
  readonly port: string | undefined;
  readonly say: (words: string) => void;
  /** What drives from now on. */
  readonly drivenBy: (digest: string) => void;
}

/** @throws KitError for what is wrong while nothing moves yet */
export async function driveArm(parts: DriveParts, options: DriveOptions): Promise<DriveReport> {
  const { robot, clock, store, logs, say, drivenBy } = parts;
  const { spec, site } = robot;
  const { manifest, digest } = currentPolicy(robot, store);
  const port = parts.port ?? (site.bus.kind === 'mqtt' ? undefined : site.bus.port);
  if (site.bus.kind !== 'mqtt' && port === undefined)
    throw new KitError(
      'E_NO_PORT',
      `site.json of ${spec.name} names no port`,
      'provision it again with --port, or add it to site.json on the robot',
      'usage',
    );
  const task = taskNamed(manifest.task);
  const rateHz = manifest.controlRateHz;
  // Other goals each time: a service that begins anew would else pursue the same ones for ever.
  const random = new Random(Date.now() % 2 ** 31);
  const time = new Date().toISOString().replaceAll(':', '');
  mkdirSync(logs, { recursive: true });
  const goals = drawnGoals(spec, task, random, Math.round(task.episodeS(spec, rateHz) * rateHz));
  drivenBy(digest);
  // What looking for the policy and the run before left behind goes now, while nothing moves: it would be in memory together with this one.
  collectGarbage();
  return runPolicy({
    ...options,
    robot,
    clock,
    policyDir: store,
    link: createLink({
      robot,
      clock,
      open: baudRate =>
        openSerial(port!, baudRate, {
          onLatency: adapter => {
            const warning = latencyWarning(adapter);
            if (warning !== undefined) say(warning);
          },
        }),
    }),
    goals,
    onTrial: ({ digest: tried, event, words }) => say(`policy ${shortDigest(tried)} ${event}: ${words}`),
    logPath: join(logs, `${spec.name}-${time}.mcap`),
    onPolicy: ({ digest: next, refused }) => {
      if (refused === undefined) drivenBy(next);
      say(
        refused === undefined
          ? `policy ${shortDigest(next)} took over`
          : `policy ${shortDigest(next)} does not take over: ${refused.message} (${refused.hint}); the old one goes on`,
      );
    },
  });
}
