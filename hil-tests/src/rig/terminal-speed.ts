/**
 * The baud rate that whoever has a pseudo-terminal open has set on it. The kernel knows it as a number, beside the few that have a name
 * (Feetech's 250 000 and Dynamixel's 4.5 M have none), and tells it by an ioctl. Node has none, so libc's own is called (koffi).
 *
 * @see Linux include/uapi/asm-generic/termbits.h, struct termios2; ioctl_tty(2)
 */
import { KitError } from '@sim2servo/models/error';

const TCGETS2 = 0x802c_542a;
const termios2Bytes = 44;
const outputSpeedAt = 40;

/**
 * @param master descriptor of the master's end
 * @returns bit/s, asked anew each time; takes about a microsecond, and throws KitError E_PTY where it is not told
 */
export async function terminalSpeed(master: number): Promise<() => number> {
  const { default: koffi } = await import('koffi');
  const ioctl = koffi.load(null).func('int ioctl(int fd, unsigned long request, void *termios2)');
  const termios2 = Buffer.alloc(termios2Bytes);
  return () => {
    if (ioctl(master, TCGETS2, termios2) === 0) return termios2.readUInt32LE(outputSpeedAt);
    throw new KitError(
      'E_PTY',
      `the baud rate of a pseudo-terminal is not told: errno ${koffi.errno()}`,
      'use --rig ideal on this system',
      'noDevice',
    );
  };
}
