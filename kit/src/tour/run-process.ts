/** `kit run` in a process of its own, as a user would start it: the control loop shares its thread with nobody. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ExitReason, exitCodes, KitError } from '@sim2servo/models/error';
import { loopNodeFlags } from '@sim2servo/runtime/gc-pauses';
import type { RunReport } from '@sim2servo/runtime/run-policy';

const program = fileURLToPath(new URL('../../../bin/kit.mjs', import.meta.url));

/** A run that failed once the arm was at hand, with what it reports all the same. */
export class FailedRun extends KitError {
  readonly report: RunReport;

  constructor(code: string, message: string, hint: string, exit: ExitReason, report: RunReport) {
    super(code, message, hint, exit);
    this.report = report;
  }
}

export class RunProcess {
  readonly #child: ChildProcess;
  /** Once the process has gone and all that it said is there. */
  readonly #closed: Promise<void>;
  #text = '';

  constructor(args: readonly string[], showStatus: boolean) {
    const child = spawn(process.execPath, [...loopNodeFlags, program, 'run', '--json', '--yes', ...args], {
      stdio: ['ignore', 'pipe', showStatus ? 'inherit' : 'ignore'],
    });
    this.#child = child;
    this.#closed = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', () => resolve());
    });
    child.stdout.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('utf8');
    });
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async kill(signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    await this.#closed;
  }

  /** Of a run to its end. @throws KitError with what it said where it failed */
  async report(): Promise<RunReport> {
    await this.#closed;
    const answer = JSON.parse(this.#text === '' ? '{}' : this.#text) as RunReport & {
      error?: { code: string; message: string; hint: string };
      report?: RunReport;
    };
    const { error, report } = answer;
    const { exitCode } = this.#child;
    if (error !== undefined) {
      const exit = (Object.keys(exitCodes) as ExitReason[]).find(reason => exitCodes[reason] === exitCode) ?? 'failed';
      const { code, message, hint } = error;
      throw report === undefined
        ? new KitError(code, message, hint, exit)
        : new FailedRun(code, message, hint, exit, report);
    }
    if (answer.ticks === undefined)
      throw new KitError('E_TOUR_RUN', `kit run ended with ${exitCode} and no report`, 'run it by hand to see why');
    return answer;
  }
}
