/** The serial ports that this machine has, with what is known of the device behind each. */
import { readdirSync } from 'node:fs';
import { SerialPort } from 'serialport';

export interface SerialPortDescription {
  readonly path: string;
  /** Of the USB bridge, not of the board: an Uno says Arduino, a cheap Nano 1a86 (CH340). */
  readonly manufacturer?: string;
  readonly serialNumber?: string;
  /** `2341:0043` */
  readonly usbId?: string;
}

/** Without udev (containers, small systems) the names in /dev have to do. */
export async function listPorts(): Promise<SerialPortDescription[]> {
  try {
    return (await SerialPort.list()).map(({ path, manufacturer, serialNumber, vendorId, productId }) => ({
      path,
      ...(manufacturer === undefined ? {} : { manufacturer }),
      ...(serialNumber === undefined ? {} : { serialNumber }),
      ...(vendorId === undefined || productId === undefined ? {} : { usbId: `${vendorId}:${productId}` }),
    }));
  } catch (error) {
    if (process.platform !== 'linux') throw error;
    return readdirSync('/dev')
      .filter(name => /^tty(USB|ACM|AMA)\d+$/.test(name))
      .map(name => ({ path: `/dev/${name}` }));
  }
}
