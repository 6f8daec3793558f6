/**
 * The bench of the fault matrix: the real control loop, recorder and link on an arm in virtual time. It swings the arm, does a fault in
 * mid-motion, undoes it, and judges by how the joints moved and by what can be read of the log, not by what anybody says.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { observationSize } from '@sim2servo/models/observe';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { ControlLoop } from '@sim2servo/runtime/control-loop';
import { listedGoals } from '@sim2servo/runtime/goal-source';
import type { LoopReport } from '@sim2servo/runtime/loop-report';
import { Recorder } from '@sim2servo/runtime/recorder';
import { recordSizes, type TickSink } from '@sim2servo/runtime/tick-record';
import { swingHz, swingOf } from '../scenarios/swing.js';
import type { ArmUnderTest } from './arm-under-test.js';
import { diskFailures, metSuffix } from './disk-faults.js';
import { type Fault, nothingToClear } from './fault.js';
import { type FaultOutcome, judgeFault } from './judge-fault.js';
import { blindUs, type Told } from './judge-motion.js';

/** Of its greatest speed, which a joint has when it passes the middle of its swing. */
const speedShare = 0.4;
/** Times by the loop's ticks, as shares of a second: it swings after the arming ramp, and passes the middle half a swing later. */
const afterRampS = 0.1;
const clearAfterS = 0.5;
const goOnAfterS = 1.1;
/** How long the joints are watched after the run, before and after the fault is cleared. */
const watchUs = 500_000;
const ringRecords = 1024;
/** Virtual time runs ahead of a disk: where that is tested the loop takes its time, so that the recorder's thread keeps up with it. */
const paceMs = 8;
/** With the second of an open chunk it is still what a log may lack. */
const fewRecords = 1;
const stuckMs = 20_000;
/** The recorder's thread has taken and written by then what it was given. */
const drainMs = 200;

export class LoopBench<Arm extends ArmUnderTest = ArmUnderTest> {
  readonly arm: Arm;
  /** What the policy answers, instead of its swing. */
  answer: ((action: Float32Array, tick: number) => void) | undefined;
  /** How long it thinks. */
  thinkUs = 0;
  /** What a fault has to undo. */
  undo: () => void = nothingToClear;
  readonly #folder = mkdtempSync(join(tmpdir(), 'sim2servo-fault-'));
  readonly #told: Told[] = [];
  #pauseUs = 0;
  #killed: (() => void) | undefined;
  #dead = false;

  constructor(arm: Arm) {
    this.arm = arm;
  }

  get #logPath(): string {
    return join(this.#folder, 'run.mcap');
  }

  /** The host's process stops for a while in its next inference, as one that the system does not let run. */
  pause(us: number): void {
    this.#pauseUs = us;
  }

  /** The host's process ends here. */
  kill(): void {
    this.#dead = true;
  }

  disk(fault: keyof typeof diskFailures, failing: boolean): void {
    const path = this.#logPath + diskFailures[fault];
    if (failing) writeFileSync(path, '');
    else rmSync(path, { force: true });
  }

  /** Does the fault, once: a bench is for one run. */
  async suffer(fault: Fault<Arm>): Promise<FaultOutcome> {
    const { arm } = this;
    const { clock, controlRateHz } = arm;
    const rampS = arm.robot.spec.safety.armingRampS;
    const swingTick = Math.ceil((rampS + afterRampS) * controlRateHz);
    const faultTick = swingTick + Math.round(controlRateHz / (2 * swingHz));
    const clearTick = faultTick + Math.round(clearAfterS * controlRateHz);
    const periodUs = 1e6 / controlRateHz;
    let faultUs = Number.NaN;
    let noticeableUs = Number.NaN;
    let cleared = false;
    const clear = () => {
      if (!cleared) fault.clear(this);
      cleared = true;
    };
    const onDisk = fault.row === 'disk full' || fault.row === 'log writer stalled';
    const recorder = await this.#openRecorder(fault.ring);
    const report = await this.#run(recorder, swingTick, faultTick + Math.round(goOnAfterS * controlRateHz), tick => {
      if (onDisk) block(paceMs);
      if (fault.row === 'disk full') waitFor(recorder);
      if (tick === faultTick) {
        faultUs = clock.nowUs();
        // Nobody can know of what goes wrong in a tick before the next one.
        noticeableUs = fault.noticeable === undefined ? faultUs + periodUs : Number.NaN;
        fault.begin(this);
      }
      if (tick === clearTick && fault.expected === 'rides out' && fault.lasts === undefined) clear();
      if (fault.noticeable === 'disk failed' && Number.isNaN(noticeableUs) && this.#diskHasFailed(recorder))
        noticeableUs = clock.nowUs() + periodUs;
    });
    if (fault.noticeable === 'disk failed' && Number.isNaN(noticeableUs) && this.#diskHasFailed(recorder))
      noticeableUs = this.#told.at(-1)!.timeUs + periodUs;
    if (fault.noticeable === 'told to move') noticeableUs = blindUs(arm.robot.spec, this.#told, faultUs);
    await arm.during(clock.waitUntil(clock.nowUs() + watchUs));
    const clearUs = clock.nowUs();
    clear();
    await arm.during(clock.waitUntil(clock.nowUs() + watchUs));
    const log = await this.#closeLog(recorder, report === undefined);
    return judgeFault({ fault, arm, told: this.#told, faultUs, noticeableUs, clearUs, report, log });
  }

  #openRecorder(capacity = ringRecords): Promise<Recorder> {
    const { robot, controlRateHz } = this.arm;
    return Recorder.open({
      path: this.#logPath,
      sizes: recordSizes(robot.spec),
      header: {
        robot: robot.spec.name,
        specSha256: robot.specSha256,
        policyDigest: 'the swing of the fault matrix',
        task: 'reach',
        controlRateHz,
      },
      capacity,
      thread: new URL('./failing-disk.js', import.meta.url),
    });
  }

  /** A write has failed, and the recorder's thread has had the time to say so: how long it takes is this machine's affair. */
  #diskHasFailed(recorder: Recorder): boolean {
    if (!existsSync(this.#logPath + metSuffix)) return false;
    while (recorder.failure() === undefined) block(1);
    return true;
  }

  /** @returns undefined where the host was killed */
  async #run(
    recorder: Recorder,
    swingTick: number,
    lastTick: number,
    each: (tick: number) => void,
  ): Promise<LoopReport | undefined> {
    const { arm } = this;
    const { clock, controlRateHz, link } = arm;
    const { spec } = arm.robot;
    const swing = swingOf(spec, controlRateHz, speedShare);
    let tick = 0;
    const action = new Float32Array(spec.joints.length);
    const killed = new Promise<undefined>(resolve => {
      this.#killed = () => resolve(undefined);
    });
    const policy = {
      observation: new Float32Array(observationSize(spec)),
      action,
      rehearse: () => each(++tick),
      infer: () => {
        swing(action, (tick - swingTick) / controlRateHz);
        this.answer?.(action, tick);
        return this.#think();
      },
    };
    const motion = await arm.during(link.open());
    const loop = new ControlLoop({
      spec,
      task: taskNamed('reach'),
      controlRateHz,
      motion,
      clock,
      policy,
      recorder: this.#listeningTo(recorder),
      goals: listedGoals([[0.15, 0.05, 0.06]], lastTick),
      maxTicks: lastTick - Math.ceil(spec.safety.armingRampS * controlRateHz),
      virtualTime: true,
    });
    const report = await arm.during(Promise.race([loop.run(), killed]));
    if (report === undefined) arm.hostGone();
    else await arm.during(link.close());
    return report;
  }

  #think(): Promise<void> | undefined {
    const { clock } = this.arm;
    if (this.#dead) {
      this.#killed?.();
      return new Promise(() => {});
    }
    const us = this.#pauseUs + this.thinkUs;
    this.#pauseUs = 0;
    return us > 0 ? clock.waitUntil(clock.nowUs() + us) : undefined;
  }

  /** Notes when the loop told the arm what. */
  #listeningTo(recorder: Recorder): TickSink {
    return {
      record: tick => {
        this.#told.push({ timeUs: this.arm.clock.nowUs(), targetsRad: Array.from(tick.target) });
        return recorder.record(tick);
      },
      failure: () => recorder.failure(),
    };
  }

  /** @returns what there is to read: of a host that was killed, what stood on the disk then */
  async #closeLog(recorder: Recorder, killed: boolean) {
    const cut = join(this.#folder, 'cut.mcap');
    if (killed) {
      block(drainMs);
      copyFileSync(this.#logPath, cut);
    }
    const closed = await recorder.close().then(
      () => !killed,
      () => false,
    );
    return { path: killed ? cut : this.#logPath, closed, dropped: recorder.dropped };
  }

  async dispose(): Promise<void> {
    await this.arm.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Blocks this thread, its event loop included: virtual time must not go by meanwhile. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Virtual time runs faster than the recorder's thread looks: what it has not taken yet must not count as lost with the disk. */
function waitFor(recorder: Recorder): void {
  const from = performance.now();
  while (recorder.waiting > fewRecords && recorder.failure() === undefined) {
    if (performance.now() - from > stuckMs) throw new Error(`the recorder took nothing for ${stuckMs / 1000} s`);
    block(1);
  }
}
