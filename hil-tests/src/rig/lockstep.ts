/**
 * Virtual time: the emulated device runs exactly when somebody waits, so a runtime on this clock sees the same device as in real
 * time, faster than real time and the same every time.
 */
import type { ByteStream } from '@sim2servo/firmware-bridge/byte-stream';
import { DeviceStream } from './device-stream.js';
import type { DeviceClock, EmulatedDevice } from './emulated-device.js';

/** Time that passes between two looks at what the board has sent. */
const sliceUs = 100;
/** Promise reactions that a delivered chunk may need until whoever waits for it has noticed. */
const reactions = 32;

export class Lockstep implements DeviceClock {
  readonly #device: EmulatedDevice;
  #stream: DeviceStream | undefined;

  constructor(device: EmulatedDevice) {
    this.#device = device;
  }

  nowUs(): number {
    return this.#device.nowUs;
  }

  async waitUntil(timeUs: number, wake?: Promise<unknown>): Promise<void> {
    let woken = false;
    const noticed = () => {
      woken = true;
    };
    wake?.then(noticed, noticed);
    await settle();
    while (this.#device.nowUs < timeUs && !woken) {
      const bytes = this.#device.runUntil(Math.min(timeUs, this.#device.nowUs + sliceUs));
      if (bytes.length === 0) continue;
      this.#stream?.deliver(bytes);
      await settle();
    }
  }

  /** Opens the port, which resets an Uno. One at a time; opening again closes the one before. */
  open(): ByteStream {
    this.#stream?.cut(new Error('the port was opened again'));
    this.#device.portOpened();
    this.#stream = new DeviceStream(this.#device, () => this.nowUs());
    return this.#stream;
  }

  /** Pulls the cable. */
  unplug(): void {
    this.#stream?.cut(new Error('the port has gone'));
    this.#stream = undefined;
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < reactions; i++) await undefined;
}
