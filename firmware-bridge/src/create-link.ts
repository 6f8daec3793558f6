/** The link that a robot's site asks for. */
import { resolve } from 'node:path';
import type { Clock } from '@sim2servo/models/clock';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { ByteStream } from './byte-stream.js';
import { DynamixelLink } from './dynamixel/dynamixel-link.js';
import { FeetechLink } from './feetech/feetech-link.js';
import { KitLink } from './kitlink/kitlink.js';
import { MqttLink } from './mqtt/mqtt-link.js';
import type { ServoLink } from './servo-link.js';

export interface LinkOptions {
  readonly robot: Pick<LoadedRobot, 'spec' | 'specSha256' | 'site' | 'folder'>;
  readonly clock: Clock;
  /** The port, at this rate. Never called for a bus behind a broker. */
  readonly open: (baudRate: number) => Promise<ByteStream>;
}

export function createLink({ robot, clock, open }: LinkOptions): ServoLink {
  const { spec, specSha256, site, folder } = robot;
  const { bus } = site;
  if (bus.kind === 'mqtt') {
    const { broker, name = spec.name, deadlineMs } = bus;
    const file = (path: string | undefined) => path && resolve(folder, path);
    const address = { broker, ca: file(bus.ca), cert: file(bus.cert), key: file(bus.key) };
    return new MqttLink({ clock, spec, specSha256, name, deadlineMs, address });
  }
  const local = { open: () => open(bus.baudRate), clock, spec, site };
  switch (bus.kind) {
    case 'dynamixel':
      return new DynamixelLink(local);
    case 'feetech':
      return new FeetechLink(local);
    case 'kitlink':
      return new KitLink(local);
  }
}
