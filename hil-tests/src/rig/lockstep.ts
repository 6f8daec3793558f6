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
  readonly #devices: readonly EmulatedDevice[];
  readonly #streams: (DeviceStream | undefined)[];
  /** Until when each of those that wait does so: time never runs past the first. */
  readonly #waiting = new Set<{ untilUs: number }>();

  /** @param devices each on a port of its own, all in the same time */
  constructor(...devices: EmulatedDevice[]) {
    this.#devices = devices;
    this.#streams = devices.map(() => undefined);
  }

  nowUs(): number {
    return this.#devices[0]!.nowUs;
  }

  async waitUntil(timeUs: number, wake?: Promise<unknown>): Promise<void> {
    let woken = false;
    const noticed = () => {
      woken = true;
    };
    wake?.then(noticed, noticed);
    const waiter = { untilUs: timeUs };
    this.#waiting.add(waiter);
    await settle();
    while (this.nowUs() < timeUs && !woken) {
      const first = Math.min(...Array.from(this.#waiting, ({ untilUs }) => untilUs));
      const brought = this.#run(Math.min(first, this.nowUs() + sliceUs));
      if (brought || first <= this.nowUs()) await settle();
    }
    // Time stands until whoever waited has gone on.
    waiter.untilUs = this.nowUs();
    void settle().then(() => this.#waiting.delete(waiter));
  }

  /** Lets time run on; whether any bytes came. */
  #run(timeUs: number): boolean {
    let brought = false;
    for (const [i, device] of this.#devices.entries()) {
      const bytes = device.runUntil(timeUs);
      if (bytes.length === 0) continue;
      brought = true;
      this.#streams[i]?.deliver(bytes);
    }
    return brought;
  }

  /** Opens a device's port, which resets an Uno. One at a time; opening again closes the one before. */
  open(device = 0): ByteStream {
    this.#streams[device]?.cut(new Error('the port was opened again'));
    this.#devices[device]!.portOpened();
    const stream = new DeviceStream(this.#devices[device]!, () => this.nowUs());
    this.#streams[device] = stream;
    return stream;
  }

  /** Pulls a device's cable. */
  unplug(device = 0): void {
    this.#streams[device]?.cut(new Error('the port has gone'));
    this.#streams[device] = undefined;
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < reactions; i++) await undefined;
}
