/** Virtual time for an emulated device and several programs that wait at once, as a host and a bridge do. */
import type { ByteStream } from '@sim2servo/firmware-bridge/byte-stream';
import { SharedClock } from '@sim2servo/firmware-bridge/mqtt/shared-clock';
import { DeviceStream } from './device-stream.js';
import type { DeviceClock, EmulatedDevice } from './emulated-device.js';

/** Time that passes between two looks at what the device has sent. */
const sliceUs = 100;

export class SharedLockstep extends SharedClock implements DeviceClock {
  readonly #device: EmulatedDevice;
  #stream: DeviceStream | undefined;

  constructor(device: EmulatedDevice) {
    super(device.nowUs);
    this.#device = device;
    this.#turn();
  }

  #turn(): void {
    const bytes = this.#device.runUntil(this.nowUs());
    if (bytes.length > 0) this.#stream?.deliver(bytes);
    this.after(sliceUs, () => this.#turn());
  }

  open(): ByteStream {
    this.#stream?.cut(new Error('the port was opened again'));
    this.#device.portOpened();
    this.#stream = new DeviceStream(this.#device, () => this.nowUs());
    return this.#stream;
  }

  unplug(): void {
    this.#stream?.cut(new Error('the port has gone'));
    this.#stream = undefined;
  }
}
