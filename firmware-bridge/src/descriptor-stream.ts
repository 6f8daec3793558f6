/**
 * An open serial port read and written right where its thread waits, through the port's own descriptor.
 *
 * `serialport` hands every read and write to a pool of threads and back. With a loop that keeps the processor until its deadline, such a
 * thread waits for a core: replies of a servo bus that took 1.4 ms on the wire came after 3 ms and more. Here the event loop says that bytes
 * are there, and they are read at once.
 */
import { readSync, writeSync } from 'node:fs';
import type { SerialPort } from 'serialport';
import type { ByteStream } from './byte-stream.js';

/** What the binding of `serialport` has on Linux and macOS beside its public face; a test says whether it still has it. */
interface UnixBinding {
  readonly fd: number;
  readonly poller: { once(event: 'readable', listener: (error: Error | null) => void): unknown };
}

/** Several times what a bus brings between two turns of the event loop. */
const bufferBytes = 4096;

export class DescriptorStream implements ByteStream {
  readonly #port: SerialPort;
  readonly #binding: UnixBinding;
  readonly #buffer = new Uint8Array(bufferBytes);
  #receive: ((chunk: Uint8Array) => void) | undefined;
  #failure: Error | undefined;

  /** @param port open, and read by nobody else */
  constructor(port: SerialPort) {
    this.#port = port;
    this.#binding = port.port as unknown as UnixBinding;
  }

  /** A port that does not take a packet at once has a stuck adapter: that ends the stream. */
  write(bytes: Uint8Array): void {
    if (!this.#alive) return;
    try {
      const written = writeSync(this.#binding.fd, bytes);
      if (written < bytes.length) this.#fail(new Error(`it took ${written} of ${bytes.length} bytes`));
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  onData(receive: (chunk: Uint8Array) => void): void {
    const first = this.#receive === undefined;
    this.#receive = receive;
    if (first) this.#awaitBytes();
  }

  onClose(closed: (reason: Error | undefined) => void): void {
    this.#port.on('close', () => closed(this.#failure));
  }

  async close(): Promise<void> {
    if (!this.#port.isOpen) return;
    await new Promise<void>(resolve => this.#port.close(() => resolve()));
  }

  get #alive(): boolean {
    return this.#port.isOpen && this.#failure === undefined;
  }

  #awaitBytes(): void {
    this.#binding.poller.once('readable', error => {
      if (!this.#alive) return;
      if (error === null) this.#read();
      else this.#fail(this.#gone(error));
      if (this.#alive) this.#awaitBytes();
    });
  }

  #read(): void {
    let count: number;
    try {
      count = readSync(this.#binding.fd, this.#buffer);
    } catch (error) {
      // Somebody was told of bytes that are gone again.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.#fail(this.#gone(error));
      return;
    }
    // A port that hung up is readable, and has nothing.
    if (count === 0) this.#fail(this.#gone());
    else this.#receive!(this.#buffer.subarray(0, count));
  }

  #gone(cause?: unknown): Error {
    return new Error(`${this.#port.path} has gone`, { cause });
  }

  #fail(failure: Error): void {
    this.#failure ??= failure;
    if (this.#port.isOpen) this.#port.close();
  }
}
