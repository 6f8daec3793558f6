/**
 * The C core, built for this machine and driven line by line (`firmware/host.c`): a board in virtual time. It is a clock and a port as
 * well, so that the whole link runs against the real core without a microcontroller.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Clock } from '@sim2servo/models/clock';
import type { ByteStream } from '../../src/byte-stream.js';
import { bytesOf, hexOf } from './vectors.js';

export const firmwareFolder = fileURLToPath(new URL('../../../firmware/', import.meta.url));

/** Builds it into a folder of its own; undefined where this machine has no C compiler or no make. */
export function buildHostBoard(): string | undefined {
  if (spawnSync('cc', ['--version']).status !== 0 || spawnSync('make', ['--version']).status !== 0) return undefined;
  const out = mkdtempSync(join(tmpdir(), 'kitlink-host-'));
  process.once('exit', () => rmSync(out, { recursive: true, force: true }));
  const make = (extra: string) =>
    spawnSync('make', ['-s', 'host', `OUT=${out}`, `EXTRA=${extra}`], { cwd: firmwareFolder, encoding: 'utf8' });
  /* With its sanitizers where the compiler has them: a byte read past a buffer ends the test. */
  const built = make('-fsanitize=address,undefined -fno-sanitize-recover').status === 0 ? undefined : make('');
  if (built !== undefined && built.status !== 0) throw new Error(`the host build failed:\n${built.stderr}`);
  return join(out, 'kitlink-host');
}

export class HostBoard implements Clock {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: string[] = [];
  #wake: (() => void) | undefined;
  #ended: string | undefined;
  #errors = '';
  #timeUs = 0;
  /** The board's own time: 32 bits, from 0 at each reset. */
  #boardUs = 0;
  #receive: (chunk: Uint8Array) => void = () => {};
  readonly #toWrite: Uint8Array[] = [];
  /** Bytes on their way to the board pass through here: a test may spoil, hold back or drop them. */
  cable: (bytes: Uint8Array) => Uint8Array = bytes => bytes;
  /** Ticks of the two channels, 0 while there is no pulse; each change with the board's time. */
  readonly pulses: { readonly timeUs: number; readonly ticks: readonly [number, number] }[] = [];

  constructor(program: string) {
    this.#process = spawn(program);
    this.#process.stderr.on('data', chunk => {
      this.#errors += String(chunk);
    });
    this.#process.on('exit', code => {
      this.#ended = `the host board ended with ${code}: ${this.#errors}`;
      this.#wake?.();
    });
    createInterface({ input: this.#process.stdout }).on('line', line => {
      this.#lines.push(line);
      this.#wake?.();
    });
  }

  get ticks(): readonly [number, number] {
    return this.pulses.at(-1)?.ticks ?? [0, 0];
  }

  nowUs(): number {
    return this.#timeUs;
  }

  /** Turn by turn of a millisecond, so that an answer ends the wait soon after it came. */
  async waitUntil(timeUs: number, wake?: Promise<unknown>): Promise<void> {
    let awake = false;
    void wake?.then(() => {
      awake = true;
    });
    await this.flush();
    while (!awake && this.#timeUs < timeUs) {
      await this.advance(Math.min(1000, Math.ceil(timeUs - this.#timeUs)));
      await Promise.resolve();
    }
  }

  async advance(us: number): Promise<void> {
    await this.flush();
    await this.command(`advance ${us}`);
  }

  /** Hands over what was written to the port. */
  async flush(): Promise<void> {
    for (let bytes = this.#toWrite.shift(); bytes !== undefined; bytes = this.#toWrite.shift()) {
      const through = this.cable(bytes);
      if (through.length > 0) await this.command(`bytes ${hexOf(through)}`);
    }
  }

  /** Returns what the core's functions said, for `cobs`, `uncobs` and `crc`. */
  async command(line: string): Promise<string[]> {
    if (line === 'reset') this.#boardUs = 0;
    this.#process.stdin.write(`${line}\n`);
    const results: string[] = [];
    for (;;) {
      while (this.#lines.length === 0) {
        if (this.#ended !== undefined) throw new Error(this.#ended);
        await new Promise<void>(resolve => {
          this.#wake = resolve;
        });
      }
      const [what, ...rest] = this.#lines.shift()!.split(' ');
      if (what === 'result') results.push(rest.join(' '));
      else if (what === 'sent') {
        this.#passTo(Number(rest[0]));
        this.#receive(bytesOf(rest[1]!));
      } else if (what === 'pulses')
        this.pulses.push({ timeUs: Number(rest[0]), ticks: [Number(rest[1]), Number(rest[2])] });
      else if (what === 'ok') {
        this.#passTo(Number(rest[0]));
        return results;
      } else throw new Error(`the host board said '${what}'`);
    }
  }

  /** Time has passed for both; the host's goes on over a reset of the board. */
  #passTo(boardUs: number): void {
    this.#timeUs += (boardUs - this.#boardUs) >>> 0;
    this.#boardUs = boardUs;
  }

  stream(): ByteStream {
    return {
      write: bytes => {
        this.#toWrite.push(Uint8Array.from(bytes));
      },
      onData: receive => {
        this.#receive = receive;
      },
      onClose: () => {},
      close: async () => {},
    };
  }

  async end(): Promise<void> {
    const ended = new Promise(resolve => this.#process.once('close', resolve));
    this.#process.stdin.end();
    await ended;
  }
}
