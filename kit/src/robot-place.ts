/** Where a robot's bus is reached, in words and for opening: a serial port, or a name on a broker. */
import { brokerText } from '@sim2servo/firmware-bridge/mqtt/broker-error';
import { KitError } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';

/**
 * @param portFlag what `--port` said
 * @throws KitError E_NO_PORT where neither it nor site.json names one, E_PORT_UNUSED where the bus has none
 */
export function robotPlace({ spec, site: { bus } }: LoadedRobot, portFlag: string | undefined): string {
  if (bus.kind === 'mqtt') {
    const place = `${brokerText(bus.broker)} (as ${bus.name ?? spec.name})`;
    if (portFlag === undefined) return place;
    throw new KitError(
      'E_PORT_UNUSED',
      `--port ${portFlag} was named, but site.json of ${spec.name} has its bus on ${place}`,
      'leave --port out, or take the site.json that lies beside the servos',
      'usage',
    );
  }
  const port = portFlag ?? bus.port;
  if (port !== undefined) return port;
  throw new KitError(
    'E_NO_PORT',
    `neither --port nor site.json of ${spec.name} names a port`,
    'add --port /dev/ttyUSB0; kit device list shows what is there',
    'usage',
  );
}
