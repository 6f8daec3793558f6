/**
 * What a service tells systemd: it is ready, how it is, and that it is alive. One datagram each to the unix socket that `NOTIFY_SOCKET`
 * names. Node has no datagram sockets of that kind, so libc's own `socket` and `sendto` are called (koffi).
 *
 * @see sd_notify(3), unix(7)
 */
import { KitError } from '@sim2servo/models/error';

/** Linux numbers, the same on x86-64, arm64 and armv7. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
/** The loop never waits for systemd: what can't be taken at once is lost, and counted. */
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** `sun_path` of `struct sockaddr_un`. */
const longestPath = 107;

export interface Notify {
  /** How long systemd waits between two `alive`; undefined where it does not watch this process. */
  readonly watchdogUs: number | undefined;
  /** Messages that could not be delivered. */
  readonly lost: number;
  /** The service does what it is for. @param status a line for `systemctl status` */
  ready(status: string): void;
  status(text: string): void;
  alive(): void;
  stopping(): void;
  close(): void;
}

/** `struct sockaddr_un` of a path, or of an abstract name, which begins with `@`: its first byte is 0 and its length counts. */
export function unixAddress(name: string): Buffer {
  const path = Buffer.from(name);
  if (!/^[/@]./.test(name) || path.length > longestPath)
    throw new KitError(
      'E_NOTIFY_SOCKET',
      `NOTIFY_SOCKET '${name}' is neither an absolute path nor an @abstract name of at most ${longestPath} bytes`,
      'start it by systemd, or without NOTIFY_SOCKET',
      'usage',
    );
  const family = Buffer.alloc(2);
  // In the byte order of the machine; all that we run on are little-endian.
  family.writeUInt16LE(AF_UNIX);
  if (name.startsWith('@')) path[0] = 0;
  return Buffer.concat(name.startsWith('@') ? [family, path] : [family, path, Buffer.alloc(1)]);
}

/** systemd's interval, where it is meant for this process. */
export function watchdogUsOf(environment: NodeJS.ProcessEnv, pid: number = process.pid): number | undefined {
  const { WATCHDOG_USEC: interval, WATCHDOG_PID: watched = String(pid) } = environment;
  return interval !== undefined && /^[1-9]\d*$/.test(interval) && watched === String(pid)
    ? Number(interval)
    : undefined;
}

const silent: Notify = {
  watchdogUs: undefined,
  lost: 0,
  ready() {},
  status() {},
  alive() {},
  stopping() {},
  close() {},
};

/**
 * @returns what does nothing where no NOTIFY_SOCKET is named
 * @throws  KitError E_NOTIFY_SOCKET
 */
export async function openNotify(environment: NodeJS.ProcessEnv = process.env): Promise<Notify> {
  const { NOTIFY_SOCKET: name } = environment;
  if (name === undefined || name === '') return silent;
  const address = unixAddress(name);
  const { default: koffi } = await import('koffi');
  const libc = koffi.load(null);
  // `long` is what ssize_t is on Linux, of 32 and of 64 bits.
  const sendto = libc.func(
    'long sendto(int fd, const uint8_t *message, size_t bytes, int flags, const uint8_t *address, uint32_t length)',
  );
  const fd: number = libc.func('int socket(int domain, int type, int protocol)')(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    throw new KitError(
      'E_NOTIFY_SOCKET',
      `no datagram socket to be had: errno ${koffi.errno()}`,
      'allow AF_UNIX in RestrictAddressFamilies of the unit',
    );
  const close = libc.func('int close(int fd)');
  let lost = 0;
  const send = (text: string) => {
    const message = Buffer.from(text);
    if (sendto(fd, message, message.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length) < 0) lost++;
  };
  const statusLine = (text: string) => `STATUS=${text.replaceAll('\n', ' ')}`;
  return {
    watchdogUs: watchdogUsOf(environment),
    get lost() {
      return lost;
    },
    ready: text => send(`READY=1\n${statusLine(text)}`),
    status: text => send(statusLine(text)),
    alive: () => send('WATCHDOG=1'),
    stopping: () => send('STOPPING=1'),
    close: () => void close(fd),
  };
}
