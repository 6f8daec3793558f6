/** The other end of `NOTIFY_SOCKET`: a real datagram socket that is bound to a path or an abstract name, as systemd's is. */
import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import koffi from 'koffi';
import { unixAddress } from '../../src/robot/notify.js';

const libc = koffi.load(null);
const socket = libc.func('int socket(int domain, int type, int protocol)');
const bind = libc.func('int bind(int fd, const uint8_t *address, uint32_t length)');
const recv = libc.func('long recv(int fd, _Out_ uint8_t *buffer, size_t bytes, int flags)');
const close = libc.func('int close(int fd)');
const [AF_UNIX, SOCK_DGRAM, MSG_DONTWAIT] = [1, 2, 0x40];

export class DatagramReceiver {
  readonly name: string;
  readonly received: string[] = [];
  readonly #fd: number;

  constructor(name: string) {
    this.name = name;
    this.#fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    const address = unixAddress(name);
    if (bind(this.#fd, address, address.length) !== 0) throw new Error(`can't bind ${name}: errno ${koffi.errno()}`);
  }

  /** Whether the system knows the socket by this name. */
  get known(): boolean {
    return readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .some(line => line.endsWith(` ${this.name}`));
  }

  /** Takes what has come. */
  poll(): readonly string[] {
    const buffer = Buffer.alloc(4096);
    for (let bytes = recv(this.#fd, buffer, buffer.length, MSG_DONTWAIT); bytes >= 0; ) {
      this.received.push(buffer.toString('utf8', 0, bytes));
      bytes = recv(this.#fd, buffer, buffer.length, MSG_DONTWAIT);
    }
    return this.received;
  }

  async until(enough: (received: readonly string[]) => boolean, what: string): Promise<void> {
    for (let tries = 0; !enough(this.poll()); tries++) {
      if (tries > 2_000) throw new Error(`${what} never came; what came: ${this.received.join(' | ')}`);
      await sleep(10);
    }
  }

  close(): void {
    close(this.#fd);
    if (this.name.startsWith('/')) rmSync(this.name, { force: true });
  }
}
