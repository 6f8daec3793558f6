/** The link that a robot's site asks for. */
import type { Clock } from '@sim2servo/models/clock';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { ByteStream } from './byte-stream.js';
import { DynamixelLink } from './dynamixel/dynamixel-link.js';
import { FeetechLink } from './feetech/feetech-link.js';
import { KitLink } from './kitlink/kitlink.js';
import type { ServoLink } from './servo-link.js';

export interface LinkOptions {
  readonly robot: Pick<LoadedRobot, 'spec' | 'site'>;
  readonly clock: Clock;
  /** The port, at the site's baud rate. */
  readonly open: () => Promise<ByteStream>;
}

export function createLink({ robot: { spec, site }, clock, open }: LinkOptions): ServoLink {
  switch (site.bus.kind) {
    case 'dynamixel':
      return new DynamixelLink({ open, clock, spec, site });
    case 'feetech':
      return new FeetechLink({ open, clock, spec, site });
    default:
      return new KitLink({ open, clock, spec, site });
  }
}
