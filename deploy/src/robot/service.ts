/**
 * The robot's service: waits without torque until somebody says start, drives until stop, waits again. It never moves because it was
 * started: neither at boot, nor after a crash, nor after the watchdog has ended it.
 *
 * It counts ticks all the time: those of waiting here, those of driving where the control loop says so. Whoever watches sees one counter
 * that rises for as long as there is somebody who ticks.
 */
import type { Clock } from '@sim2servo/models/clock';
import { KitError, messageOf } from '@sim2servo/models/error';
import { packError } from '@sim2servo/models/packed-error';
import type { LoopStatus } from '@sim2servo/runtime/loop-report';
import type { ArmReport } from '@sim2servo/runtime/run-arm';
import type { ControlFailure, ControlRequest, ServiceMotion } from './control-protocol.js';

export interface DriveOptions {
  readonly signal: AbortSignal;
  readonly seconds?: number;
  readonly onStatus: (status: LoopStatus) => void;
}

export type DriveReport = Pick<ArmReport, 'end' | 'ticks' | 'missed' | 'seconds' | 'log' | 'held'>;

export interface ServiceParts {
  readonly clock: Clock;
  /** One run of the current policy. Rejects for what is wrong while nothing moves yet. */
  drive(options: DriveOptions): Promise<DriveReport>;
  /** Whoever feeds a watchdog: called with a number that only rises. */
  ticked(ticks: number): void;
  /** A line for the journal, at each change. */
  say(words: string): void;
}

export interface ServiceNow {
  readonly motion: ServiceMotion;
  readonly words: string;
  readonly failure?: ControlFailure;
  readonly ticks: number;
}

/** Between two ticks while nothing is driven. */
const idleUs = 200_000;

/** One run that was asked for. */
interface Wanted {
  readonly seconds: number | undefined;
  readonly stop: AbortController;
  /** The first tick that drives, or why there was none. */
  readonly begun: Deferred;
  readonly ended: Deferred;
}

class Deferred {
  resolve: () => void = () => {};
  reject: (error: unknown) => void = () => {};
  readonly promise = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor() {
    // Who asked may be gone.
    this.promise.catch(() => {});
  }
}

export class RobotService {
  readonly #parts: ServiceParts;
  #motion: ServiceMotion = 'waiting';
  #words = 'nothing was driven yet';
  #failure: ControlFailure | undefined;
  #ticks = 0;
  #wanted: Wanted | undefined;
  #wake = new Deferred();
  #over = false;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  get now(): ServiceNow {
    const failure = this.#failure;
    return { motion: this.#motion, words: this.#words, ...(failure && { failure }), ticks: this.#ticks };
  }

  /** Until the signal is aborted; a run that goes on then is ended in order. @param ticking called after the first tick */
  async serve(signal: AbortSignal, ticking: () => void = () => {}): Promise<void> {
    const end = () => {
      this.#over = true;
      this.#wanted?.stop.abort();
      this.#wake.resolve();
    };
    if (signal.aborted) return;
    signal.addEventListener('abort', end, { once: true });
    while (!this.#over) {
      this.#tick(this.#ticks + 1);
      if (this.#ticks === 1) ticking();
      if (this.#wanted !== undefined) await this.#run(this.#wanted);
      else await this.#parts.clock.waitUntil(this.#parts.clock.nowUs() + idleUs, this.#wake.promise);
      this.#wake = new Deferred();
    }
  }

  /** Resolves once the arm drives (start), once it holds (stop). @throws KitError why it does not */
  async handle(request: ControlRequest): Promise<void> {
    if (request.do === 'start') await this.#start(request.seconds);
    if (request.do === 'stop') await this.#stop();
  }

  async #start(seconds: number | undefined): Promise<void> {
    if (this.#wanted !== undefined)
      throw new KitError(
        'E_ALREADY_DRIVING',
        `the service is ${this.#motion} already`,
        'kit stop ends what goes on',
        'usage',
      );
    if (this.#over) throw new KitError('E_SERVICE_ENDS', 'the service is about to end', 'start it again first');
    const wanted: Wanted = { seconds, stop: new AbortController(), begun: new Deferred(), ended: new Deferred() };
    this.#wanted = wanted;
    this.#wake.resolve();
    await wanted.begun.promise;
  }

  async #stop(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    this.#motion = 'stopping';
    wanted.stop.abort();
    await wanted.ended.promise;
  }

  async #run(wanted: Wanted): Promise<void> {
    const { drive, say } = this.#parts;
    const before = this.#ticks;
    if (this.#motion === 'waiting') this.#motion = 'starting';
    say('starting');
    try {
      const { seconds } = wanted;
      const report = await drive({
        signal: wanted.stop.signal,
        ...(seconds !== undefined && { seconds }),
        onStatus: status => {
          this.#tick(before + status.ticks);
          if (this.#motion === 'starting') {
            this.#motion = 'driving';
            say('driving');
          }
          wanted.begun.resolve();
        },
      });
      this.#ended(report);
    } catch (error) {
      this.#failed(error);
      this.#words = `it did not begin: ${messageOf(error)}`;
    } finally {
      this.#wanted = undefined;
      this.#motion = 'waiting';
      const failure = this.#failure;
      // Where it had begun this says nothing new.
      wanted.begun.reject(
        failure === undefined
          ? new KitError('E_ENDED_EARLY', `the run ended before it drove: ${this.#words}`, 'start it again')
          : new KitError(failure.code, failure.message, failure.hint, failure.exit),
      );
      wanted.ended.resolve();
      say(`waiting without torque is what comes next; the last run: ${this.#words}`);
    }
  }

  #ended({ end, ticks, missed, seconds, log, held }: DriveReport): void {
    this.#words = `${end.kind}: ${end.reason}; ${ticks} ticks in ${seconds.toFixed(1)} s, ${missed} missed; ${held}${log === undefined ? '' : `; log ${log.path}`}`;
    if (end.error === undefined) this.#failure = undefined;
    else this.#failed(end.error);
  }

  #failed(error: unknown): void {
    const { code, message, hint, exit } = packError(error, 'E_RUN');
    this.#failure = { code, message, hint, exit };
  }

  #tick(ticks: number): void {
    this.#ticks = ticks;
    this.#parts.ticked(ticks);
  }
}
