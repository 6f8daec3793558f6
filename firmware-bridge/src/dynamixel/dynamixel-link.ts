/**
 * Dynamixel servos as a robot's bus: one read and one write a tick, profiles and the bus watchdog in the servos as the last line of defence.
 *
 * What stops a servo when nobody speaks any more is its own bus watchdog, set when it is armed. Fired, it latches: goals are refused
 * until it is cleared, and only {@link DynamixelLink.arm} clears it. docs/dynamixel.md says what is read and written when, and why.
 */
import { type BusCycle, cycleUs, wireUs } from '@sim2servo/models/bus-cycle';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import { servosInOrder } from '@sim2servo/models/robot-folder';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { angleOfTurn, turnOfAngle } from '@sim2servo/models/servo-scale';
import { type Site, servoNames, siteOn } from '@sim2servo/models/site';
import type { ByteStream } from '../byte-stream.js';
import { reasonWords } from '../kitlink/messages.js';
import {
  finiteTarget,
  type HaltKind,
  type HoldBy,
  keepInside,
  type Loose,
  notArmed,
  notHeld,
  type ServoLink,
  type ServoMotion,
  type ServoState,
} from '../servo-link.js';
import { whenSilent } from '../silence.js';
import { CycleRead } from './cycle-read.js';
import { DynamixelBus } from './dynamixel-bus.js';
import { dynamixelCycle, encodeGoals } from './dynamixel-cycle.js';
import { littleEndian } from './packet.js';
import { hardwareErrorWords, registers, watchdogFired, watchdogStepMs } from './registers.js';
import { type ReadyServo, type Servo, setUpServo } from './servo-setup.js';

/** How long a hold waits to know where the joints are. */
const holdLookUs = 20_000;
/** Of a read that is not bounded by a tick. */
const patienceUs = 200_000;
/** What a try has at least beside its time on the wire: the adapter, the operating system. */
const leastSlackUs = 2_000;
/** The slowest that a profile can be told: 0.024 rad/s. */
const slowest = 1;

export interface DynamixelLinkOptions {
  readonly open: () => Promise<ByteStream>;
  readonly clock: Clock;
  readonly spec: RobotSpec;
  readonly site: Site;
}

interface Opened {
  readonly bus: DynamixelBus;
  readonly servos: readonly ReadyServo[];
  readonly read: CycleRead;
  readonly cycle: BusCycle;
}

export class DynamixelLink implements ServoLink, ServoMotion {
  readonly #options: DynamixelLinkOptions;
  readonly #sites: readonly Servo[];
  readonly #deadlineMs: number;
  readonly #baudRate: number;
  #opened: Opened | undefined;
  #isArmed = false;
  /** Since the port was opened or the arm relaxed. */
  #gaveTorque = false;
  /** Why it holds without being armed. */
  #heldReason = 'torque was on when the port was opened';
  /** [joints] as they were sent last; empty before. */
  #goalCounts: readonly number[] = [];
  /** What went wrong while it was found out who is there. */
  #errorsOfOpening = 0;
  #sample = 0;
  #sampledAtUs = 0;
  #roundTripUs = Number.NaN;

  constructor(options: DynamixelLinkOptions) {
    this.#options = options;
    const { bus, servos } = siteOn(options.site, 'dynamixel');
    this.#sites = servosInOrder(options.spec, { servos });
    this.#deadlineMs = bus.deadlineMs;
    this.#baudRate = bus.baudRate;
  }

  /** @throws KitError E_PORT_*, and what {@link setUpServo} throws */
  async open(): Promise<ServoMotion> {
    const { clock, spec, open } = this.#options;
    const bus = new DynamixelBus(await open(), clock, this.#baudRate);
    try {
      const servos: ReadyServo[] = [];
      for (const [j, servo] of this.#sites.entries()) servos.push(await setUpServo(bus, servo, spec.joints[j]!));
      const read = new CycleRead(servos);
      this.#opened = { bus, servos, read, cycle: dynamixelCycle(servos, read, this.#baudRate) };
      await this.#freshSample();
      this.#errorsOfOpening = bus.port.strays + bus.port.lostReplies;
    } catch (error) {
      this.#opened = undefined;
      await bus.port.close();
      throw error;
    }
    return this;
  }

  get cycle(): BusCycle {
    return this.#port().cycle;
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#isArmed = false;
    this.#gaveTorque = false;
    this.#goalCounts = [];
    await opened?.bus.port.close();
  }

  #port(): Opened {
    if (this.#opened === undefined) throw new KitError('E_PORT_CLOSED', 'the port is not open', 'open it first', 'bug');
    this.#opened.bus.port.checkOpen();
    return this.#opened;
  }

  async read(out: ServoState, timeoutUs: number): Promise<boolean> {
    const { bus, servos, read } = this.#port();
    const isFresh = await this.#poll(timeoutUs);
    out.linkErrors = bus.port.strays + bus.port.lostReplies - this.#errorsOfOpening;
    if (!isFresh) return false;
    for (const [j, servo] of this.#sites.entries())
      if (!this.#wasReset(j)) out.position[j] = angleOfTurn(servo, read.value(j, 'presentPosition'));
    out.sampledAtUs = this.#sampledAtUs;
    out.sample = this.#sample;
    [out.device, out.reason] = this.#deviceState(servos, read);
    out.phaseUs = 0;
    out.periodUs = 0;
    out.roundTripUs = this.#roundTripUs;
    return true;
  }

  /** One read of all servos, asked again while there is time for an answer: each try may take half of what is left. */
  async #poll(timeoutUs: number): Promise<boolean> {
    const { clock } = this.#options;
    const { bus, read, cycle } = this.#port();
    const leastUs = cycleUs({ ...cycle, writeBytes: 0 }) + leastSlackUs;
    const until = clock.nowUs() + timeoutUs;
    for (let first = true; ; first = false) {
      const from = clock.nowUs();
      if (!first && until - from < leastUs) return false;
      read.begin();
      if ((await bus.port.request(read.request, read, read.due, Math.max(leastUs, (until - from) / 2))) > 0) continue;
      this.#sample++;
      // They sample when they have heard the question.
      this.#sampledAtUs = from + wireUs(read.request.length, this.#baudRate);
      this.#roundTripUs = clock.nowUs() - from;
      return true;
    }
  }

  /** The supply of a servo that answers is never 0 V: its indirect slots have gone, with all that was in its memory. */
  #wasReset(joint: number): boolean {
    return this.#port().read.value(joint, 'presentInputVoltage') === 0;
  }

  #deviceState(servos: readonly ReadyServo[], read: CycleRead): [ServoState['device'], string] {
    const first = (is: (j: number) => boolean) => servos.findIndex((_, j) => is(j));
    const reset = first(j => this.#wasReset(j));
    if (reset >= 0)
      return ['limp', `${servoNames(servos[reset]!)} was reset: it was rebooted, or had no power for a moment`];
    const faulty = first(j => read.value(j, 'hardwareErrorStatus') !== 0);
    if (faulty >= 0)
      return [
        'latched',
        `${servoNames(servos[faulty]!)} reports: ${hardwareErrorWords(read.value(faulty, 'hardwareErrorStatus'))}`,
      ];
    if (first(j => read.value(j, 'busWatchdog') === watchdogFired) >= 0) return ['latched', reasonWords.deadline];
    const limp = first(j => read.value(j, 'torqueEnable') === 0);
    if (limp >= 0 && this.#isArmed) return ['limp', `${servoNames(servos[limp]!)} has no torque any more`];
    if (servos.every((_, j) => read.value(j, 'torqueEnable') === 0)) return ['limp', ''];
    return this.#isArmed ? ['armed', ''] : ['held', this.#heldReason];
  }

  write(targets: Float64Array): void {
    if (!this.#isArmed) notArmed();
    const { bus, servos } = this.#port();
    this.#goalCounts = this.#sites.map((servo, j) => {
      const [low, high] = servos[j]!.range;
      const count = Math.round(turnOfAngle(servo, finiteTarget(servo.joint, targets[j]!)));
      return within(low, high, count);
    });
    bus.port.send(this.#goals(this.#goalCounts));
  }

  /** The sync write of goal positions. @param counts [joints] */
  #goals(counts: readonly number[]): Uint8Array {
    return encodeGoals(
      this.#sites.map(({ id }) => id),
      counts,
    );
  }

  /**
   * Torque on, where each joint stands.
   *
   * A servo whose watchdog has fired, or that somebody left with torque, may go on to its old goal as soon as it is cleared; the manual
   * does not say. So it is made as slow as it can be before, and has its new goal before it may be fast again.
   *
   * @throws KitError E_ARM_OUTSIDE, E_ARM_REFUSED, E_SERVO_*
   */
  async arm(): Promise<Float64Array> {
    const { bus, servos, read } = this.#port();
    this.#isArmed = false;
    await this.#freshSample();
    const [, reason] = this.#deviceState(servos, read);
    const isFaulty = servos.some((_, j) => this.#wasReset(j) || read.value(j, 'hardwareErrorStatus') !== 0);
    if (isFaulty) throw refused(reason);
    const present = Float64Array.from(this.#sites, (servo, j) => angleOfTurn(servo, read.value(j, 'presentPosition')));
    keepInside(this.#options.spec, present);
    const goals: number[] = [];
    this.#gaveTorque = true;
    for (const servo of servos) {
      await bus.write(servo, registers.profileVelocity, slowest);
      await bus.write(servo, registers.busWatchdog, 0);
      const [low, high] = servo.range;
      const goal = within(low, high, await bus.read(servo, registers.presentPosition));
      const { profileAcceleration, profileVelocity } = servo;
      await bus.writeBytes(
        servo,
        registers.profileAcceleration.address,
        [profileAcceleration, profileVelocity, goal].flatMap(value => littleEndian(value, 4)),
      );
      await bus.write(servo, registers.torqueEnable, 1);
      goals.push(goal);
    }
    this.#goalCounts = goals;
    for (const servo of servos) await bus.write(servo, registers.busWatchdog, this.#deadlineMs / watchdogStepMs);
    await this.#freshSample();
    this.#isArmed = true;
    const [device, why] = this.#deviceState(servos, read);
    if (device === 'armed') return Float64Array.from(this.#sites, (servo, j) => angleOfTurn(servo, goals[j]!));
    this.#isArmed = false;
    throw refused(why);
  }

  /**
   * Hold: each servo keeps its torque, and goes no further towards its goal than it takes to brake; so one that carries a load does not
   * let go of it. Its watchdog is off then, unless it has fired: that stays. One that has no torque, or that does not answer, is named
   * once all others hold. Relax: torque off.
   *
   * @throws KitError E_HALT_REFUSED, E_NO_SAMPLE, E_SERVO_* of a relax, E_PORT_*
   */
  async halt(kind: HaltKind, by: HoldBy = 'measured'): Promise<void> {
    const { bus, servos, read } = this.#port();
    this.#isArmed = false;
    this.#heldReason = 'the host asked for it';
    if (kind === 'relax') {
      for (const servo of servos) await bus.write(servo, registers.torqueEnable, 0);
      for (const servo of servos) await bus.write(servo, registers.busWatchdog, 0);
      this.#gaveTorque = false;
      return;
    }
    // Where not all answer, each one keeps the goal that it has: what was measured before is too old to hold by.
    if (this.#goalCounts.length === 0) await this.#freshSample();
    const isMeasured = by === 'measured' && (await this.#poll(holdLookUs));
    const stands = servos.map(({ range: [low, high], brakeCounts }, j) => {
      const present = read.value(j, 'presentPosition');
      const goal = this.#goalCounts[j] ?? present;
      if (!isMeasured || this.#wasReset(j)) return goal;
      return within(low, high, Math.round(present + within(-brakeCounts, brakeCounts, goal - present)));
    });
    // All at once first: the answers that follow take their time.
    bus.port.send(this.#goals(stands));
    const loose: Loose[] = [];
    for (const [j, servo] of servos.entries()) {
      const why = await holdOne(bus, servo, stands[j]!);
      if (why !== '') loose.push({ who: servoNames(servo), why });
    }
    const neverHadTorque =
      !this.#gaveTorque && loose.length === servos.length && loose.every(({ why }) => why === limp);
    if (loose.length > 0 && !neverHadTorque) throw notHeld(loose, servos.length);
  }

  /** @throws KitError E_NO_SAMPLE */
  async #freshSample(): Promise<void> {
    if (await this.#poll(patienceUs)) return;
    const { read, servos } = this.#port();
    const silent = read.silent().map(j => `${servos[j]!.id} (${servos[j]!.joint})`);
    throw new KitError(
      'E_NO_SAMPLE',
      `not all servos answered within ${patienceUs / 1000} ms; missing: ${silent.join(', ')}`,
      `check the cables; ${whenSilent({ kind: 'dynamixel', deadlineMs: this.#deadlineMs })}`,
      'timeout',
    );
  }
}

const limp = 'NOT held (no torque)';

/** Tells one servo to stand at `goal`. @returns why it does not hold; empty where it has confirmed that it does */
async function holdOne(bus: DynamixelBus, servo: ReadyServo, goal: number): Promise<string> {
  try {
    if ((await bus.read(servo, registers.torqueEnable)) === 0) return limp;
    // It stands, and takes no goal.
    if ((await bus.read(servo, registers.busWatchdog)) === watchdogFired) return '';
    await bus.write(servo, registers.goalPosition, goal);
    // It has confirmed that it stands. Only then there is nothing left for its watchdog to stop.
    await bus.write(servo, registers.busWatchdog, 0);
    return '';
  } catch (error) {
    if (!(error instanceof KitError) || !error.code.startsWith('E_SERVO_')) throw error;
    return error.code === 'E_SERVO_SILENT' ? 'may NOT be held (no answer)' : `may NOT be held (${error.message})`;
  }
}

function refused(why: string): KitError {
  return new KitError(
    'E_ARM_REFUSED',
    `the arm can not be armed: ${why}`,
    'open the port again, and check site.json',
    'safetyStop',
  );
}

function within(low: number, high: number, value: number): number {
  return Math.max(low, Math.min(high, value));
}
