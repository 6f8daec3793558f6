/**
 * The control loop: read servo state → sense, observe → infer → shield → write → record, once a period, for as long as there are goals.
 *
 * It owns the motion and nothing else does. It sees the bus, the clock, the policy and the recorder through seams, so that the same
 * code runs against a board, against the emulated board in virtual time, and against a few lines of a test.
 *
 * Deadlines are absolute ({@link PeriodLock}). A tick whose write ends after the next deadline costs that next tick: it is skipped and
 * counted, never caught up. Who may move is decided by the pure reducer in models; how far, by the shield in models.
 */

import { createServoState, type ServoMotion } from '@sim2servo/firmware-bridge/servo-link';
import { toAction } from '@sim2servo/models/action';
import { createControlState, resetControlState } from '@sim2servo/models/control-state';
import { command, sense } from '@sim2servo/models/control-step';
import { KitError, messageOf } from '@sim2servo/models/error';
import { initialMotion, type MotionState, motionRamp, reduceMotion } from '@sim2servo/models/motion-state';
import { observe } from '@sim2servo/models/observe';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { type Limiter, limiters, refusals } from '@sim2servo/models/shield';
import type { Task } from '@sim2servo/models/tasks/task';
import { Episodes } from './episodes.js';
import { type Exploration, explore } from './exploration.js';
import type { GoalSource } from './goal-source.js';
import type { LoopEnd, LoopReport, LoopStatus } from './loop-report.js';
import { PeriodLock } from './period-lock.js';
import type { Policy } from './policy-session.js';
import type { AttentiveClock } from './realtime-clock.js';
import { createTickRecord, recordSizes, type TickSink } from './tick-record.js';
import { nextOutputUs, TickTiming } from './tick-timing.js';

export interface LoopOptions {
  readonly spec: RobotSpec;
  readonly task: Task;
  readonly controlRateHz: number;
  readonly motion: ServoMotion;
  readonly clock: AttentiveClock;
  readonly policy: Policy;
  readonly goals: GoalSource;
  /** Ticks after which it ends although there are goals left; the lead-in is not counted. */
  readonly maxTicks?: number;
  readonly recorder?: TickSink;
  readonly exploration?: Exploration;
  /** Called about five times a second of the clock, between two ticks. */
  readonly onStatus?: (status: LoopStatus) => void;
  readonly signal?: AbortSignal;
}

const limiterList = Object.entries(limiters) as [Limiter, number][];
/** The loop looks for a sample this long before it is expected; the rehearsal lies here too. */
const leadUs = 1_000;
const firstSampleUs = 2_000_000;
const statusEveryUs = 200_000;
/** Older samples that may lie in the bus's queue after the host was away. */
const maxOldSamples = 16;

export class ControlLoop {
  readonly #o: LoopOptions;
  readonly #dtS: number;
  readonly #state;
  readonly #servo;
  readonly #tick;
  readonly #episodes;
  readonly #timing = new TickTiming();
  readonly #limiterTicks = new Float64Array(limiterList.length);
  readonly #targets: Float64Array;
  /** Reused: an event a tick would be garbage a tick. */
  readonly #tickEvent = { kind: 'tick' as const, dtS: 0, fresh: true, finite: true };
  #motion: MotionState = initialMotion;
  #armedAtUs = Number.POSITIVE_INFINITY;
  #ticks = 0;
  #missed = 0;
  #stale = 0;
  #refused = 0;
  #dropped = 0;
  #badSample = '';

  constructor(options: LoopOptions) {
    const { spec } = options;
    this.#o = options;
    this.#dtS = 1 / options.controlRateHz;
    this.#state = createControlState(spec);
    this.#servo = createServoState(spec.joints.length);
    this.#tick = createTickRecord(recordSizes(spec));
    this.#targets = this.#tick.target;
    this.#episodes = new Episodes(spec, options.task, options.goals, options.controlRateHz);
    this.#tickEvent.dtS = this.#dtS;
  }

  /**
   * Arms, pursues the goals, holds. Whatever ends it, the device was told to hold before this resolves.
   *
   * @throws KitError only while nothing moves yet: no sample, wrong rate, arming refused
   */
  async run(): Promise<LoopReport> {
    const { motion, clock } = this.#o;
    const wallOffsetS = Date.now() / 1000 - clock.nowUs() / 1e6;
    const lock = await this.#arm();
    let end: LoopEnd;
    try {
      end = await this.#pursue(lock, wallOffsetS);
    } catch (error) {
      this.#motion = reduceMotion(this.#motion, { kind: 'fault', reason: messageOf(error) }, this.#o.spec.safety);
      end = {
        kind: 'failed',
        reason: messageOf(error),
        error: error instanceof Error ? error : new Error(String(error)),
      };
    }
    try {
      await motion.halt('hold');
    } catch (error) {
      // The port may be gone: then the firmware's own deadline holds the arm, and the report says that nobody was told.
      end = { ...end, haltError: messageOf(error) };
    }
    return this.#report(end, lock);
  }

  /** Everything up to the first tick that may move: fresh sample, rate, explicit arming, present position as target. */
  async #arm(): Promise<PeriodLock> {
    const { spec, motion, clock, controlRateHz, signal } = this.#o;
    const servo = this.#servo;
    await this.#freshPosition();
    const lockNow = () => new PeriodLock(controlRateHz, servo.periodUs, servo.sampledAtUs, clock.nowUs());
    lockNow();
    if (signal?.aborted === true)
      throw new KitError('E_INTERRUPTED', 'interrupted before the arm was armed', 'run it again', 'interrupt');
    this.#motion = reduceMotion(this.#motion, { kind: 'arm', freshPosition: true }, spec.safety);
    try {
      await motion.arm();
      this.#armedAtUs = clock.nowUs();
      // The device's deadline runs from here on: it is told to stay before anything else is waited for.
      this.#targets.set(servo.position);
      motion.write(this.#targets);
      await this.#freshPosition();
    } catch (error) {
      const untold = await motion.halt('hold').then(
        () => '',
        (haltError: unknown) => `; nor could it be told to hold: ${messageOf(haltError)}`,
      );
      if (untold === '' || !(error instanceof KitError)) throw error;
      throw new KitError(error.code, `${error.message}${untold}`, error.hint, error.exit, { cause: error });
    }
    resetControlState(this.#state, servo.position);
    this.#episodes.leadIn(this.#state);
    return lockNow();
  }

  async #freshPosition(): Promise<void> {
    if (!(await this.#o.motion.read(this.#servo, firstSampleUs)))
      throw new KitError(
        'E_NO_SAMPLE',
        `the device sent no position for ${firstSampleUs / 1e6} s`,
        'check the cable and the board with `kit doctor`',
        'noDevice',
      );
    const bad = this.#notFinite();
    if (bad !== '') throw new KitError('E_POSITION', bad, 'check the feedback wires and site.json', 'noDevice');
  }

  #notFinite(): string {
    const position = this.#servo.position;
    for (let j = 0; j < position.length; j++)
      if (!Number.isFinite(position[j]))
        return `the measured position of joint '${this.#o.spec.joints[j]!.name}' is ${position[j]}`;
    return '';
  }

  async #pursue(lock: PeriodLock, wallOffsetS: number): Promise<LoopEnd> {
    const { clock, policy, recorder, signal, onStatus } = this.#o;
    const maxTicks = this.#o.maxTicks ?? Number.POSITIVE_INFINITY;
    const episodes = this.#episodes;
    const timing = this.#timing;
    let deadline = lock.next(clock.nowUs());
    let lastStart = Number.NaN;
    let lastSampleUs = this.#servo.sampledAtUs;
    let statusDue = clock.nowUs();
    let running = 0;

    for (;;) {
      await clock.waitUntil(deadline - leadUs);
      if (signal?.aborted === true) return this.#hold('interrupted', 'interrupted');
      const failure = recorder?.failure();
      if (failure !== undefined) return { ...this.#hold('failed', failure.message), error: failure };
      if (running >= maxTicks) return this.#hold('done', 'the time is over');
      if (this.#motion.motion === 'running' && episodes.over && !episodes.begin(this.#state))
        return this.#hold('done', 'all goals were pursued');

      const rehearsal = policy.rehearse();
      if (rehearsal !== undefined) await rehearsal;

      const readFrom = clock.nowUs();
      const fresh = await this.#read(deadline, lock);
      const start = clock.nowUs();
      timing.readUs.record(start - readFrom);
      // The host may have been away: deadlines that passed meanwhile are gone.
      const overslept = ticksPassed(start, lock.next(deadline), lock);
      for (let i = 0; i < overslept; i++) deadline = lock.next(deadline);
      if (!Number.isNaN(lastStart)) {
        const periods = Math.max(1, Math.round((start - lastStart) / lock.tickPeriodUs));
        timing.periodErrorUs.record(Math.abs(start - lastStart - periods * lock.tickPeriodUs));
      }
      lastStart = start;
      const device = this.#deviceFault(fresh);
      if (device !== '') return this.#stop(device);
      if (fresh) {
        const periods = Math.max(1, Math.round((this.#servo.sampledAtUs - lastSampleUs) / lock.tickPeriodUs));
        sense(this.#state, this.#servo.position, periods * this.#dtS);
        lastSampleUs = this.#servo.sampledAtUs;
        episodes.judge(this.#state);
      } else this.#stale++;

      const bits = await this.#decide(fresh);
      this.#tickEvent.fresh = fresh;
      this.#tickEvent.finite = (bits & refusals) === 0;
      if (!this.#tickEvent.finite) this.#refused++;
      this.#motion = reduceMotion(this.#motion, this.#tickEvent, this.#o.spec.safety);
      if (this.#motion.motion === 'stopped') return this.#stop(`${this.#motion.reason}${this.#badSample}`);

      const writeFrom = clock.nowUs();
      this.#o.motion.write(this.#targets);
      const written = clock.nowUs();
      timing.writeUs.record(written - writeFrom);
      if (fresh) {
        const { sampledAtUs, phaseUs, periodUs } = this.#servo;
        timing.sensorToWriteUs.record(written - sampledAtUs);
        timing.sensorToServoUs.record(nextOutputUs(written, sampledAtUs, phaseUs, periodUs) - sampledAtUs);
      }
      const late = ticksPassed(written, lock.next(deadline), lock);
      this.#record(start, wallOffsetS, bits, fresh, late > 0);
      this.#ticks++;
      this.#missed += overslept + late;
      if (!episodes.over) running += 1 + overslept + late;
      episodes.advance(this.#state, 1 + overslept + late);
      for (let i = 0; i <= late; i++) deadline = lock.next(deadline);
      if (onStatus !== undefined && written >= statusDue) {
        onStatus(this.status());
        statusDue = written + statusEveryUs;
      }
    }
  }

  /** Waits for the sample that belongs to `deadline`; older ones that lie in the queue are passed over. */
  async #read(deadline: number, lock: PeriodLock): Promise<boolean> {
    const { motion, clock } = this.#o;
    const servo = this.#servo;
    const until = deadline + lock.samplePeriodUs / 2;
    for (let i = 0; i < maxOldSamples; i++) {
      const from = clock.nowUs();
      clock.attend?.(until);
      const fresh = await motion.read(servo, Math.max(0, until - from));
      clock.relax?.();
      const now = clock.nowUs();
      if (!fresh) return false;
      lock.observe(servo.sampledAtUs, now, now - from > 50);
      if (now - servo.sampledAtUs < lock.transportUs + 0.75 * lock.samplePeriodUs || now >= until) break;
    }
    this.#badSample = this.#notFinite();
    if (this.#badSample === '') return true;
    this.#badSample = `: ${this.#badSample}`;
    return false;
  }

  /** Why the device no longer follows; empty while it does. */
  #deviceFault(fresh: boolean): string {
    const { device, reason, sampledAtUs } = this.#servo;
    // A sample taken before the arming was answered still shows the device as it was.
    if (!fresh || sampledAtUs <= this.#armedAtUs || device === 'armed') return '';
    if (device === 'limp') return 'the device went limp by itself: it was reset or lost its power';
    return `the device has ${device === 'latched' ? 'latched' : 'gone to hold'}${reason === '' ? '' : `: ${reason}`}`;
  }

  /** Policy and shield; on a stale tick the arm is told to stay. Returns limiter bits; targets and actions are in the tick record. */
  async #decide(fresh: boolean): Promise<number> {
    const { spec, clock, policy, exploration } = this.#o;
    const tick = this.#tick;
    const from = clock.nowUs();
    observe(spec, this.#state, policy.observation);
    if (fresh) {
      const pending = policy.infer();
      if (pending !== undefined) await pending;
      tick.actionRequested.set(policy.action);
      if (exploration !== undefined) explore(exploration, tick.actionRequested);
    } else toAction(spec, this.#state.target, this.#state, this.#dtS, tick.actionRequested);
    const inferred = clock.nowUs();
    if (fresh) this.#timing.inferUs.record(inferred - from);
    const derate = motionRamp(this.#motion, spec.safety);
    const bits = command(
      spec,
      this.#state,
      tick.actionRequested,
      this.#dtS,
      derate,
      this.#targets,
      tick.actionExecuted,
    );
    this.#timing.shieldUs.record(clock.nowUs() - inferred);
    if (bits !== 0)
      for (let i = 0; i < limiterList.length; i++) if ((bits & limiterList[i]![1]) !== 0) this.#limiterTicks[i]! += 1;
    return bits;
  }

  #record(start: number, wallOffsetS: number, bits: number, fresh: boolean, late: boolean): void {
    const { recorder, policy } = this.#o;
    if (recorder === undefined) return;
    const tick = this.#tick;
    tick.timeS = wallOffsetS + start / 1e6;
    tick.episode = this.#episodes.episode;
    tick.step = this.#episodes.step;
    tick.observation.set(policy.observation);
    tick.position.set(this.#state.position);
    tick.velocity.set(this.#state.velocity);
    tick.goal.set(this.#state.goal);
    tick.limiters = bits;
    tick.late = late;
    tick.stale = !fresh;
    tick.truncated = this.#episodes.last;
    if (recorder.record(tick)) return;
    this.#dropped++;
    this.#episodes.cut();
  }

  #hold(kind: 'done' | 'interrupted' | 'failed', reason: string): LoopEnd {
    this.#motion = reduceMotion(this.#motion, { kind: 'hold', reason }, this.#o.spec.safety);
    return { kind, reason };
  }

  #stop(reason: string): LoopEnd {
    this.#motion = reduceMotion(this.#motion, { kind: 'fault', reason }, this.#o.spec.safety);
    return {
      kind: 'stopped',
      reason,
      error: new KitError(
        'E_SAFETY_STOP',
        `the arm was stopped and holds: ${reason}`,
        'find the cause, see that the arm is free, then run again',
        'safetyStop',
      ),
    };
  }

  status(): LoopStatus {
    return {
      motion: this.#motion.motion,
      reason: this.#motion.reason,
      ticks: this.#ticks,
      missed: this.#missed,
      episode: this.#episodes.episode,
      targets: this.#episodes.results.length,
      reached: this.#episodes.results.filter(r => r.reached).length,
      errorM: this.#episodes.errorM,
      linkErrors: this.#servo.linkErrors,
      inferP99Us: this.#timing.inferUs.percentile(0.99),
      positionRad: Array.from(this.#state.position),
    };
  }

  #report(end: LoopEnd, lock: PeriodLock): LoopReport {
    return {
      end,
      motion: this.#motion,
      ticks: this.#ticks,
      missed: this.#missed,
      stale: this.#stale,
      refused: this.#refused,
      recordsDropped: this.#dropped,
      relocks: lock.relocks,
      linkErrors: this.#servo.linkErrors,
      limiterTicks: Object.fromEntries(limiterList.map(([name], i) => [name, this.#limiterTicks[i]!])) as Record<
        Limiter,
        number
      >,
      targets: this.#episodes.results,
      timing: this.#timing.toJSON(),
    };
  }
}

/** How many deadlines, from `next` on, have passed at `nowUs`. */
function ticksPassed(nowUs: number, next: number, lock: PeriodLock): number {
  return nowUs <= next ? 0 : 1 + Math.floor((nowUs - next) / lock.tickPeriodUs);
}
