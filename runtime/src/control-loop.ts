/**
 * The control loop: read servo state → sense, observe → infer → shield → write → record, once a period, for as long as there are goals.
 *
 * It owns the motion and nothing else does. It sees the bus, the clock, the policy and the recorder through seams, so that the same
 * code runs against a board, against the emulated board in virtual time, and against a few lines of a test.
 *
 * Deadlines are absolute ({@link PeriodLock}). A tick whose write ends after the next deadline costs that next tick: it is skipped and
 * counted, never caught up. Who may move is decided by the pure reducer in models; how far, by the shield in models.
 */
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { createServoState, type ServoMotion } from '@sim2servo/firmware-bridge/servo-link';
import { toAction } from '@sim2servo/models/action';
import { checkControlRate } from '@sim2servo/models/bus-cycle';
import type { Clock } from '@sim2servo/models/clock';
import { createControlState, resetControlState } from '@sim2servo/models/control-state';
import { command, sense } from '@sim2servo/models/control-step';
import { KitError, messageOf } from '@sim2servo/models/error';
import { initialMotion, type MotionState, motionRamp, reduceMotion } from '@sim2servo/models/motion-state';
import { observe } from '@sim2servo/models/observe';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { refusals } from '@sim2servo/models/shield';
import type { Task } from '@sim2servo/models/tasks/task';
import { armInPlace, freshPosition } from './arming.js';
import { Episodes } from './episodes.js';
import { type Exploration, explore } from './exploration.js';
import { FrozenSensors } from './frozen-sensors.js';
import { collectGarbage, keepGcPausesShort, recordGcPauses } from './gc-pauses.js';
import type { GoalSource } from './goal-source.js';
import { stopError } from './hold-words.js';
import type { LoopEnd, LoopReport, LoopStatus } from './loop-report.js';
import { PeriodLock } from './period-lock.js';
import type { Policy } from './policy-session.js';
import { SampleReader } from './sample-reader.js';
import { TickCounters } from './tick-counters.js';
import { createTickRecord, recordSizes, type TickSink } from './tick-record.js';
import { nextOutputUs, TickTiming } from './tick-timing.js';
import type { Overseer } from './trial/overseer.js';

export interface LoopOptions {
  readonly spec: RobotSpec;
  readonly task: Task;
  readonly controlRateHz: number;
  readonly motion: ServoMotion;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly goals: GoalSource;
  /** Ticks after which it ends although there are goals left; the lead-in is not counted. */
  readonly maxTicks?: number;
  readonly recorder?: TickSink;
  readonly exploration?: Exploration;
  /** Watches over the policy: how fast it may go, and when it must stop. */
  readonly overseer?: Overseer;
  /** Called about five times a second of the clock, between two ticks. */
  readonly onStatus?: (status: LoopStatus) => void;
  readonly signal?: AbortSignal;
  /** A virtual clock may never let the event loop turn: then the loop does now and again, so that a signal can come through. */
  readonly virtualTime?: boolean;
}

/** The loop looks for a sample this long before it is expected; the rehearsal lies here too. */
const leadUs = 1_000;
const statusEveryUs = 200_000;

export class ControlLoop {
  readonly #o: LoopOptions;
  readonly #dtS: number;
  readonly #state;
  readonly #servo;
  readonly #samples;
  readonly #sensors;
  readonly #tick;
  readonly #episodes;
  readonly #timing = new TickTiming();
  readonly #counters = new TickCounters();
  readonly #targets: Float64Array;
  /** Reused: an event a tick would be garbage a tick. */
  readonly #tickEvent = { kind: 'tick' as const, dtS: 0, fresh: true, finite: true };
  #motion: MotionState = initialMotion;
  /** Of the last tick. */
  #inferUs = 0;

  constructor(options: LoopOptions) {
    const { spec } = options;
    this.#o = options;
    this.#dtS = 1 / options.controlRateHz;
    this.#state = createControlState(spec);
    this.#servo = createServoState(spec.joints.length);
    this.#samples = new SampleReader(spec, options.motion, options.clock, this.#servo);
    this.#sensors = new FrozenSensors(spec);
    this.#tick = createTickRecord(recordSizes(spec));
    this.#targets = this.#tick.target;
    this.#episodes = new Episodes(spec, options.task, options.goals, options.controlRateHz);
    this.#tickEvent.dtS = this.#dtS;
    options.policy.attach?.(this.#state);
  }

  /**
   * Arms, pursues the goals, holds. Whatever ends it, the device was told to hold before this resolves; `end.haltError` says where it does not.
   *
   * @throws KitError only while nothing moves yet: no sample, wrong rate, arming refused
   */
  async run(): Promise<LoopReport> {
    const { motion, clock } = this.#o;
    const wallOffsetS = Date.now() / 1000 - clock.nowUs() / 1e6;
    keepGcPausesShort();
    if (this.#o.virtualTime !== true) collectGarbage();
    const lock = await this.#arm();
    const gcRecorded = recordGcPauses(this.#timing.gcPauseUs);
    let end: LoopEnd;
    try {
      end = await this.#pursue(lock, wallOffsetS);
    } catch (error) {
      const reason = messageOf(error);
      this.#motion = reduceMotion(this.#motion, { kind: 'fault', reason }, this.#o.spec.safety);
      end = { kind: 'failed', reason, error: error instanceof Error ? error : new Error(reason) };
    }
    gcRecorded();
    try {
      await motion.halt('hold', this.#sensors.found ? 'told' : 'measured');
    } catch (error) {
      // The port may be gone, or a servo without torque: the report says so, and claims no hold that nobody confirmed.
      end = { ...end, haltError: messageOf(error) };
    }
    if (end.kind === 'stopped') end = { ...end, error: stopError(end) };
    return this.#report(end, lock);
  }

  /** Everything up to the first tick that may move: fresh sample, rate, explicit arming, present position as target. */
  async #arm(): Promise<PeriodLock> {
    const { spec, motion, clock, controlRateHz, signal } = this.#o;
    const servo = this.#servo;
    if (motion.cycle !== undefined) checkControlRate(motion.cycle, controlRateHz);
    const lockNow = () => new PeriodLock(controlRateHz, servo.periodUs, servo.sampledAtUs, clock.nowUs());
    await freshPosition(spec, motion, servo);
    lockNow();
    if (signal?.aborted === true)
      throw new KitError('E_INTERRUPTED', 'interrupted before the arm was armed', 'run it again', 'interrupt');
    this.#motion = reduceMotion(this.#motion, { kind: 'arm', freshPosition: true }, spec.safety);
    await armInPlace(spec, motion, servo, this.#targets);
    resetControlState(this.#state, servo.position);
    this.#episodes.leadIn(this.#state);
    return lockNow();
  }

  async #pursue(lock: PeriodLock, wallOffsetS: number): Promise<LoopEnd> {
    const { clock, policy, motion, overseer, onStatus, virtualTime } = this.#o;
    const episodes = this.#episodes;
    const counters = this.#counters;
    const timing = this.#timing;
    const maxTicks = this.#o.maxTicks ?? Number.POSITIVE_INFINITY;
    let deadline = lock.next(clock.nowUs());
    let lastStart = Number.NaN;
    let lastSampleUs = this.#servo.sampledAtUs;
    let statusDue = clock.nowUs();
    let pursued = 0;

    for (;;) {
      await clock.waitUntil(deadline - leadUs);
      const end = this.#due(pursued >= maxTicks);
      if (end !== undefined) return end;
      const rehearsal = policy.rehearse();
      if (rehearsal !== undefined) await rehearsal;

      const readFrom = clock.nowUs();
      const fresh = await this.#samples.read(deadline, lock);
      const start = clock.nowUs();
      timing.readUs.record(start - readFrom);
      // The host may have been away: deadlines that passed meanwhile are gone.
      const overslept = ticksPassed(start, lock.next(deadline), lock);
      if (overslept > 0) {
        counters.missedBy[readFrom > deadline ? 'away' : 'read'] += overslept;
        deadline = lock.next(deadline, overslept);
      }
      if (!Number.isNaN(lastStart)) {
        const periods = Math.max(1, Math.round((start - lastStart) / lock.tickPeriodUs));
        timing.periodErrorUs.record(Math.abs(start - lastStart - periods * lock.tickPeriodUs));
      }
      lastStart = start;
      if (fresh) {
        const fault = this.#samples.deviceFault();
        if (fault !== '') return this.#stop(fault);
        const periods = Math.max(1, Math.round((this.#servo.sampledAtUs - lastSampleUs) / lock.tickPeriodUs));
        sense(this.#state, this.#servo.position, periods * this.#dtS);
        lastSampleUs = this.#servo.sampledAtUs;
        const frozen = this.#sensors.frozen(this.#state.position, this.#state.target);
        if (frozen !== '') return this.#stop(frozen);
        episodes.judge(this.#state);
        counters.tracked(this.#state);
        counters.pursued(episodes.errorM, episodes.stillM);
      } else counters.stale++;

      const bits = await this.#decide(fresh);
      this.#tickEvent.fresh = fresh;
      this.#tickEvent.finite = (bits & refusals) === 0;
      this.#motion = reduceMotion(this.#motion, this.#tickEvent, this.#o.spec.safety);
      if (this.#motion.motion === 'stopped') {
        const { bad } = this.#samples;
        return this.#stop(fresh || bad === '' ? this.#motion.reason : `${this.#motion.reason}: ${bad}`);
      }

      const writeFrom = clock.nowUs();
      motion.write(this.#targets);
      const written = clock.nowUs();
      timing.writeUs.record(written - writeFrom);
      timing.tickUs.record(written - start);
      if (fresh) {
        const { sampledAtUs, phaseUs, periodUs } = this.#servo;
        timing.sensorToWriteUs.record(written - sampledAtUs);
        timing.sensorToServoUs.record(nextOutputUs(written, sampledAtUs, phaseUs, periodUs) - sampledAtUs);
      }
      const late = ticksPassed(written, lock.next(deadline), lock);
      this.#record(wallOffsetS + start / 1e6, bits, fresh, late > 0);
      counters.ticks++;
      counters.late(start - readFrom > written - start ? 'read' : 'work', late);
      if (fresh) overseer?.ticked(counters, this.#inferUs);
      const periods = 1 + overslept + late;
      if (!episodes.over) pursued += periods;
      episodes.advance(this.#state, periods);
      deadline = lock.next(deadline, 1 + late);
      if (written >= statusDue) {
        onStatus?.(this.status());
        statusDue = written + statusEveryUs;
        if (virtualTime === true) await eventLoopTurn();
      }
    }
  }

  /** Why it ends before this tick; starts the next goal where one is due. */
  #due(timeOver: boolean): LoopEnd | undefined {
    const { recorder, overseer, signal } = this.#o;
    if (signal?.aborted === true) return this.#hold('interrupted', 'somebody asked for it');
    if (overseer !== undefined && overseer.stop !== '') return this.#stop(overseer.stop);
    const failure = recorder?.failure();
    if (failure !== undefined) return { ...this.#hold('failed', failure.message), error: failure };
    if (timeOver) return this.#hold('done', 'the time is over');
    if (this.#motion.motion === 'running' && this.#episodes.over && !this.#episodes.begin(this.#state))
      return this.#hold('done', 'all goals were pursued');
    return undefined;
  }

  /** Policy and shield; on a stale tick the arm is told to stay. Returns limiter bits; targets and actions are in the tick record. */
  async #decide(fresh: boolean): Promise<number> {
    const { spec, clock, policy, exploration, overseer } = this.#o;
    const tick = this.#tick;
    observe(spec, this.#state, policy.observation);
    const from = clock.nowUs();
    if (fresh) {
      const pending = policy.infer();
      if (pending !== undefined) await pending;
      tick.actionRequested.set(policy.action);
      if (exploration !== undefined) explore(exploration, tick.actionRequested);
    } else toAction(spec, this.#state.target, this.#state, this.#dtS, tick.actionRequested);
    const inferred = clock.nowUs();
    this.#inferUs = inferred - from;
    if (fresh) this.#timing.inferUs.record(this.#inferUs);
    const derate = motionRamp(this.#motion, spec.safety) * (overseer?.share ?? 1);
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
    this.#counters.limited(bits);
    return bits;
  }

  #record(timeS: number, bits: number, fresh: boolean, late: boolean): void {
    const { recorder, policy } = this.#o;
    if (recorder === undefined) return;
    const tick = this.#tick;
    tick.timeS = timeS;
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
    this.#counters.recordsDropped++;
    this.#episodes.cut();
  }

  #hold(kind: 'done' | 'interrupted' | 'failed', reason: string): LoopEnd {
    this.#motion = reduceMotion(this.#motion, { kind: 'hold', reason }, this.#o.spec.safety);
    return { kind, reason };
  }

  #stop(reason: string): LoopEnd {
    this.#motion = reduceMotion(this.#motion, { kind: 'fault', reason }, this.#o.spec.safety);
    return { kind: 'stopped', reason };
  }

  status(): LoopStatus {
    const { results, episode, errorM } = this.#episodes;
    return {
      motion: this.#motion.motion,
      reason: this.#motion.reason,
      ticks: this.#counters.ticks,
      missed: this.#counters.missed,
      episode,
      targets: results.length,
      reached: results.filter(result => result.reached).length,
      errorM,
      linkErrors: this.#servo.linkErrors,
      inferP99Us: this.#timing.inferUs.percentile(0.99),
      positionRad: Array.from(this.#state.position),
    };
  }

  #report(end: LoopEnd, lock: PeriodLock): LoopReport {
    const { ticks, missed, missedBy, stale, refused, recordsDropped } = this.#counters;
    return {
      end,
      motion: this.#motion,
      ticks,
      missed,
      missedBy,
      stale,
      refused,
      recordsDropped,
      relocks: lock.relocks,
      linkErrors: this.#servo.linkErrors,
      limiterTicks: this.#counters.limiterTicks(),
      targets: this.#episodes.results,
      timing: this.#timing.toJSON(),
    };
  }
}

/** How many deadlines, from `next` on, have passed at `nowUs`. */
function ticksPassed(nowUs: number, next: number, lock: PeriodLock): number {
  return nowUs <= next ? 0 : 1 + Math.floor((nowUs - next) / lock.tickPeriodUs);
}
