/**
 * `sim2servo-robot run`: the service. It loads robot and policy, opens nothing that moves, says READY, and waits for `ctl start`. Then the
 * store's current policy drives, and each one that is deployed after it.
 */
import { shortDigest } from '@sim2servo/models/digest';
import { packError } from '@sim2servo/models/packed-error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { openPolicySession } from '@sim2servo/runtime/policy-session';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import { requestRealtimePriority } from '@sim2servo/runtime/realtime-priority';
import type { ServiceState } from './control-protocol.js';
import { serveControl } from './control-socket.js';
import { driveArm } from './drive.js';
import { currentPolicy, installedRobot } from './installed-robot.js';
import { openNotify } from './notify.js';
import type { RobotCommand } from './robot-command.js';
import { placeOptions, robotPlaces } from './robot-places.js';
import { RobotService } from './service.js';
import { Watchdog } from './watchdog.js';

export const run: RobotCommand = {
  words: 'the service: waits without torque until ctl start, then the current policy drives',
  options: {
    ...placeOptions,
    logs: 'where runs are recorded',
    socket: 'where it is told to start and stop',
    port: 'serial port (default: the one in site.json)',
  },
  async act({ root, port, ...named }) {
    const { robot: folder, store, logs, socket } = { ...robotPlaces(root), ...named };
    const ended = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ended.abort());
    const clock = new RealtimeClock();
    const notify = await openNotify();
    const watchdog = new Watchdog(notify, () => clock.nowUs());
    const say = (words: string) => {
      process.stdout.write(`${words}\n`);
      notify.status(words);
    };
    // Read anew for each run, as for each answer: keys that were revoked meanwhile count from then on.
    const robotNow = () => installedRobot(folder);
    const { name } = robotNow().spec;
    say(requestRealtimePriority().words);
    let driving: string | undefined;
    const service = new RobotService({
      clock,
      drive: async options =>
        driveArm(
          {
            robot: robotNow(),
            clock,
            store,
            logs,
            port,
            say,
            drivenBy: digest => {
              driving = digest;
            },
          },
          options,
        ),
      ticked: ticks => watchdog.ticked(ticks),
      say,
    });
    const ready = await readiness(robotNow(), store);
    let firstTickAtMs = 0;
    const state = (): ServiceState => {
      const { now } = service;
      const policy = now.motion === 'waiting' ? policyNow(robotNow, store) : { policy: driving };
      return {
        ...policy,
        ...now,
        robot: name,
        pid: process.pid,
        firstTickAtMs,
        rssBytes: process.memoryUsage.rss(),
        lostNotifications: notify.lost,
      };
    };
    const server = await serveControl(socket, async request => {
      await service.handle(request);
      return state();
    });
    try {
      await service.serve(ended.signal, () => {
        firstTickAtMs = performance.timeOrigin + performance.now();
        const words = `waiting without torque for kit start; ${ready}`;
        process.stdout.write(`${words}\n`);
        notify.ready(words);
      });
      notify.stopping();
    } finally {
      await server.close();
      notify.close();
    }
  },
};

/** What is current and can be loaded, or why it can't. */
function policyNow(robotNow: () => LoadedRobot, store: string): Pick<ServiceState, 'policy' | 'failure'> {
  try {
    return { policy: currentPolicy(robotNow(), store).digest };
  } catch (error) {
    const { code, message, hint, exit } = packError(error, 'E_BUG');
    return { failure: { code, message, hint, exit } };
  }
}

/** The policy is run once on its golden vectors now, so that `systemctl status` says what `start` would come upon. */
async function readiness(robot: LoadedRobot, store: string): Promise<string> {
  try {
    const bundle = currentPolicy(robot, store);
    const session = await openPolicySession(bundle);
    await session.dispose();
    return `policy ${bundle.manifest.name} (${shortDigest(bundle.digest)}) is ready, on ${session.backend}`;
  } catch (error) {
    const { message, hint, code } = packError(error, 'E_BUG');
    return `no policy that could drive: ${message} (${hint}) [${code}]`;
  }
}
