/** `sim2servo-robot serve`: answers deployers behind an MQTT broker, and publishes how the robot is. */
import { KitError } from '@sim2servo/models/error';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { brokerName, brokerUrl } from '@sim2servo/models/site';
import type { z } from 'zod';
import { RobotAgent } from '../agent/robot-agent.js';
import { driveErrors } from './control-socket.js';
import { serveMqtt } from './mqtt-agent.js';
import { openNotify } from './notify.js';
import type { RobotCommand } from './robot-command.js';
import { brokerVariable, placeOptions, robotPlaces } from './robot-places.js';
import { Watchdog } from './watchdog.js';

export const serve: RobotCommand = {
  words: 'answers kit deploy behind an MQTT broker, and publishes there how the robot is',
  options: {
    broker: `mqtt://[USER:PASSWORD@]HOST[:PORT], or mqtts:// for TLS (default: what ${brokerVariable} says)`,
    name: 'topics begin with kit/v1/NAME/deploy (default: the name in robot.json)',
    ca: 'who vouches for the broker: a PEM file',
    cert: 'our certificate, where the broker wants one',
    key: 'its key',
    ...placeOptions,
  },
  async act({ root, broker, name, ca, cert, key, ...named }) {
    const { robot, store, socket } = { ...robotPlaces(root), ...named };
    const ended = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ended.abort());
    const served = fits('name', brokerName, name ?? loadRobot(robot).spec.name);
    const notify = await openNotify();
    const watchdog = new Watchdog(notify, () => performance.now() * 1000);
    try {
      await serveMqtt({
        agent: new RobotAgent({ robot, store, driveError: driveErrors(socket) }),
        broker: fits('broker', brokerUrl, broker ?? process.env[brokerVariable]),
        name: served,
        ca,
        cert,
        key,
        signal: ended.signal,
        onEvent: what => process.stderr.write(`${what}\n`),
        onLook: looks => {
          if (looks === 1) notify.ready(`serves ${served}`);
          watchdog.ticked(looks);
        },
      });
      notify.stopping();
    } finally {
      notify.close();
    }
  },
};

function fits(option: string, schema: z.ZodType<string>, value: string | undefined): string {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new KitError(
    'E_USAGE',
    value === undefined
      ? `--${option} is missing`
      : `--${option} '${value}' must be ${parsed.error.issues[0]!.message}`,
    'see sim2servo-robot serve --help',
    'usage',
  );
}
