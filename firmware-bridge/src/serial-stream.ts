/** A real serial port as a stream of bytes. Nobody else gets it while we have it, and what can go wrong is said in words. */
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { KitError, messageOf } from '@sim2servo/models/error';
import { SerialPort } from 'serialport';
import type { ByteStream } from './byte-stream.js';
import { DescriptorStream } from './descriptor-stream.js';
import { type AdapterLatency, lowerLatency } from './port-latency.js';
import { permissionFix, portOwner } from './port-owner.js';
import { listPorts } from './serial-ports.js';

export interface SerialOptions {
  /** Pulls the board's reset line once the port is open, so that its bootloader runs. */
  readonly reset?: boolean;
  /** Has the port's USB adapter pass bytes on at once (port-latency.ts), and is told what came of it, where there is such an adapter. */
  readonly onLatency?: (adapter: AdapterLatency) => void;
}

/** @throws KitError E_PORT_ABSENT, E_PORT_KIND, E_PORT_PERMISSION, E_PORT_BUSY, E_PORT_OPEN, E_PORT_RESET */
export async function openSerial(path: string, baudRate: number, options: SerialOptions = {}): Promise<ByteStream> {
  await checkPath(path);
  // hupcl false: closing must not pull the reset line of the next one who opens. lock: a second opener is refused by the system.
  const port = new SerialPort({ path, baudRate, hupcl: false, lock: true, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open(error => (error ? reject(openError(path, error)) : resolve()));
  });
  if (options.reset === true) await reset(port);
  if (options.onLatency !== undefined && process.platform === 'linux') {
    const adapter = await lowerLatency(path, () => setLowLatency(port));
    if (adapter !== undefined) options.onLatency(adapter);
  }
  return process.platform === 'win32' ? new SerialStream(port) : new DescriptorStream(port);
}

/** DTR (some boards: RTS) reaches the reset pin through a capacitor: its falling edge is the reset, the rising one makes it ready again. */
async function reset(port: SerialPort): Promise<void> {
  const lines = (on: boolean) =>
    new Promise<void>((resolve, reject) => {
      port.set({ dtr: on, rts: on }, error => (error ? reject(error) : resolve()));
    });
  try {
    await lines(false);
    await sleep(250);
    await lines(true);
    await sleep(50);
  } catch (error) {
    await new Promise<void>(resolve => port.close(() => resolve()));
    throw new KitError(
      'E_PORT_RESET',
      `${port.path} has no reset line: ${messageOf(error)}`,
      'a board can only be written through a real serial port',
      'noDevice',
      { cause: error },
    );
  }
}

/** The type of the options does not know the flag; the lines stay as opening has set them. */
function setLowLatency(port: SerialPort): Promise<void> {
  const flags: { lowLatency: true; dtr: true; rts: true } = { lowLatency: true, dtr: true, rts: true };
  return new Promise((resolve, reject) => {
    port.set(flags, error => (error ? reject(error) : resolve()));
  });
}

async function checkPath(path: string): Promise<void> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    const ports = (await listPorts()).map(port => port.path);
    throw new KitError(
      'E_PORT_ABSENT',
      `there is no port ${path}`,
      ports.length === 0 ? 'plug the board in; kit hil up --rig avr gives a virtual one' : `found: ${ports.join(', ')}`,
      'noDevice',
    );
  }
  if (process.platform !== 'win32' && !stat.isCharacterDevice())
    throw new KitError('E_PORT_KIND', `${path} is not a serial port`, 'name a device like /dev/ttyUSB0', 'noDevice');
}

function openError(path: string, error: Error): KitError {
  const message = messageOf(error).replace(/^Error: /, '');
  if (/lock|busy|temporarily unavailable/i.test(message)) {
    const owner = portOwner(path);
    return new KitError(
      'E_PORT_BUSY',
      `${path} is in use${owner === undefined ? '' : ` by process ${owner.pid} (${owner.program})`}`,
      'end the other program first',
      'noDevice',
      { cause: error },
    );
  }
  if (/permission|EACCES/i.test(message))
    return new KitError('E_PORT_PERMISSION', `you may not open ${path}`, permissionFix, 'noDevice', { cause: error });
  return new KitError(
    'E_PORT_OPEN',
    `can't open ${path}: ${message}`,
    'check that it is a serial port that works',
    'noDevice',
    { cause: error },
  );
}

/** Where a port has no descriptor. */
class SerialStream implements ByteStream {
  readonly #port: SerialPort;
  #closing = false;
  #failure: Error | undefined;

  constructor(port: SerialPort) {
    this.#port = port;
    port.on('error', error => {
      this.#failure = error;
    });
  }

  write(bytes: Uint8Array): void {
    if (this.#port.isOpen) this.#port.write(bytes);
  }

  onData(receive: (chunk: Uint8Array) => void): void {
    this.#port.on('data', receive);
  }

  onClose(closed: (reason: Error | undefined) => void): void {
    this.#port.on('close', (error: Error | null) =>
      closed(this.#closing ? undefined : (error ?? this.#failure ?? new Error('it was closed'))),
    );
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (!this.#port.isOpen) return;
    await new Promise<void>(resolve => this.#port.close(() => resolve()));
  }
}
