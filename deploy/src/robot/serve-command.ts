/** `sim2servo-robot serve`: answers deployers behind an MQTT broker, and publishes how the robot is. */
import { KitError } from '@sim2servo/models/error';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { brokerName, brokerUrl } from '@sim2servo/models/site';
import { RobotAgent } from '../agent/robot-agent.js';
import { serveMqtt } from './mqtt-agent.js';
import { placeOptions, placesOf, type RobotCommand, textOf } from './robot-command.js';

const text = { type: 'string' } as const;

export const serveCommand: RobotCommand = {
  name: 'serve',
  what: 'answer kit deploy behind a broker: --broker URL [--name NAME] [--ca FILE] [--cert FILE --key FILE]',
  options: { ...placeOptions, broker: text, name: text, ca: text, cert: text, key: text },
  async run(flags, signal) {
    const where = placesOf(flags);
    const { ca, cert, key, name = loadRobot(where.robot).spec.name } = flags as Record<string, string | undefined>;
    const broker = textOf(flags, 'broker');
    for (const [schema, value] of [
      [brokerUrl, broker],
      [brokerName, name],
    ] as const) {
      const parsed = schema.safeParse(value);
      if (!parsed.success)
        throw new KitError(
          'E_USAGE',
          `'${value}' is not ${parsed.error.issues[0]!.message}`,
          'see docs/mqtt.md',
          'usage',
        );
    }
    await serveMqtt({
      agent: new RobotAgent(where),
      broker,
      name,
      ca,
      cert,
      key,
      signal,
      onEvent: what => process.stderr.write(`${what}\n`),
    });
  },
};
