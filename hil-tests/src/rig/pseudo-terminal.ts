/**
 * The board's end of a pseudo-terminal that any program opens as a serial port.
 *
 * Read by polling, not by a stream: a stream on the master dies when the other side closes, and never says that it opened. Polled, the
 * master answers EIO while nobody has the port open, so opening (which pulls a board's reset line) and pulling the cable are both seen.
 */
import { closeSync, readdirSync, readlinkSync, readSync, writeSync } from 'node:fs';
import { KitError, messageOf } from '@sim2servo/models/error';
import { terminalSpeed } from './terminal-speed.js';

/** What node-pty's `open` gives, as far as we use it; its own types hide the descriptor. */
interface OpenedTerminal {
  readonly _fd: number;
  readonly _pty: string;
  readonly _master: { pause(): void; destroy(): void; readonly _handle: { readStop(): void } };
  readonly _slave: { pause(): void; destroy(): void };
}

export type TerminalEvent = 'opened' | 'closed' | undefined;

export class PseudoTerminal {
  /** What to open: `/dev/pts/7`. */
  readonly path: string;
  readonly #master: number;
  readonly #destroy: () => void;
  readonly #speed: () => number;
  readonly #buffer = Buffer.alloc(4096);
  #open = false;

  private constructor(path: string, master: number, speed: () => number, destroy: () => void) {
    this.path = path;
    this.#master = master;
    this.#speed = speed;
    this.#destroy = destroy;
  }

  /** @throws KitError E_PTY where the system has no pseudo-terminals */
  static async open(): Promise<PseudoTerminal> {
    let terminal: OpenedTerminal;
    try {
      const { open } = (await import('@lydell/node-pty')) as unknown as { open(options: object): OpenedTerminal };
      terminal = open({});
    } catch (error) {
      throw new KitError(
        'E_PTY',
        `no pseudo-terminal is to be had: ${messageOf(error)}`,
        'use --rig ideal on this system',
        'noDevice',
        { cause: error },
      );
    }
    terminal._master.pause();
    terminal._slave.pause();
    // Its streams start to read in the next turn of the loop. Stopped there, the master's never sees the end that kills it.
    await new Promise(resolve => setImmediate(resolve));
    terminal._master._handle.readStop();
    terminal._slave.destroy();
    await new Promise(resolve => setImmediate(resolve));
    // node-pty keeps another descriptor of the slave; while it is open nobody's closing would show.
    for (const descriptor of readdirSync('/proc/self/fd').map(Number))
      if (target(descriptor) === terminal._pty) closeSync(descriptor);
    return new PseudoTerminal(terminal._pty, terminal._fd, await terminalSpeed(terminal._fd), () =>
      terminal._master.destroy(),
    );
  }

  /** That whoever has the port open has set. */
  get baudRate(): number {
    return this.#speed();
  }

  /** Hands over what has come, and says whether the port was opened or closed meanwhile. */
  poll(receive: (bytes: Uint8Array) => void): TerminalEvent {
    let event: TerminalEvent;
    for (;;) {
      let count: number;
      try {
        count = readSync(this.#master, this.#buffer);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        const open = code === 'EAGAIN';
        if (!open && code !== 'EIO') throw error;
        if (open !== this.#open) event = open ? 'opened' : 'closed';
        this.#open = open;
        return event;
      }
      if (!this.#open) {
        event = 'opened';
        this.#open = true;
      }
      receive(this.#buffer.subarray(0, count));
    }
  }

  /** Bytes from the board. What nobody has opened the port for is lost, as on a wire. */
  write(bytes: Uint8Array): void {
    if (this.#open) writeSync(this.#master, bytes);
  }

  /** Pulls the cable: whoever has the port open sees it hang up. The last call. */
  hangUp(): void {
    this.#destroy();
  }
}

function target(descriptor: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    // The descriptor of the listing itself has gone again.
    return undefined;
  }
}
