/** The port of an emulated device, as a host has it open. */
import type { ByteStream } from '@sim2servo/firmware-bridge/byte-stream';
import type { EmulatedDevice } from './emulated-device.js';

export class DeviceStream implements ByteStream {
  readonly #device: EmulatedDevice;
  readonly #nowUs: () => number;
  #receive: ((chunk: Uint8Array) => void) | undefined;
  #closed: ((reason: Error | undefined) => void) | undefined;
  #open = true;

  /** @param nowUs the host's time; the device may be a little behind it */
  constructor(device: EmulatedDevice, nowUs: () => number) {
    this.#device = device;
    this.#nowUs = nowUs;
  }

  write(bytes: Uint8Array): void {
    if (this.#open) this.#device.receive(bytes, this.#nowUs());
  }

  onData(receive: (chunk: Uint8Array) => void): void {
    this.#receive = receive;
  }

  onClose(closed: (reason: Error | undefined) => void): void {
    this.#closed = closed;
  }

  deliver(bytes: Uint8Array): void {
    if (this.#open) this.#receive?.(bytes);
  }

  cut(reason: Error): void {
    this.#end(reason);
  }

  async close(): Promise<void> {
    this.#end(undefined);
  }

  #end(reason: Error | undefined): void {
    if (!this.#open) return;
    this.#open = false;
    this.#closed?.(reason);
  }
}
