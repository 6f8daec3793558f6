/** A serial port without hardware, held by a Python that owns its other end: node alone can't make one. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/**
 * Prints the port's name, then sends back whatever arrives, until its stdin ends. Its own descriptor of the port is closed, so that it
 * is nobody's; while nobody has the port open reading fails.
 */
const program = `
import os, pty, select, time
master, slave = pty.openpty()
print(os.ttyname(slave), flush=True)
os.close(slave)
while True:
    ready, _, _ = select.select([master, 0], [], [])
    if 0 in ready and not os.read(0, 1): break
    try:
        if master in ready: os.write(master, os.read(master, 4096))
    except OSError: time.sleep(0.01)
`;

export const hasPseudoTerminals =
  process.platform === 'linux' && spawnSync('python3', ['-c', 'import pty']).status === 0;

export class EchoingPort {
  readonly path: string;
  readonly #process: ChildProcessWithoutNullStreams;

  private constructor(process: ChildProcessWithoutNullStreams, path: string) {
    this.#process = process;
    this.path = path;
  }

  static async open(): Promise<EchoingPort> {
    const child = spawn('python3', ['-c', program]);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return new EchoingPort(child, String(line).trim());
  }

  /** Nobody takes what is sent any more. */
  freeze(): void {
    this.#process.kill('SIGSTOP');
  }

  /** Pulls the cable. */
  async unplug(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exit = once(this.#process, 'exit');
    // What is stuck in a write does not hear that its stdin has ended.
    this.#process.kill('SIGKILL');
    await exit;
  }
}
