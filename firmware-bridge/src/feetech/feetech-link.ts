/**
 * An arm of STS3215 servos on a Feetech bus (docs/feetech.md). A tick is one sync read of position, speed, load, voltage and temperature
 * of every servo, a look at the torque switch of one or a few of them in turn, and one sync write of goals.
 *
 * These servos have no deadline: one that is told a goal goes there, whoever has died meanwhile. So they run in position mode only, at
 * a speed that they limit themselves, and no goal lies further from the measured position than that speed comes in `leadMs`.
 */
import type { BusCycle } from '@sim2servo/models/bus-cycle';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { type Site, servoNames, siteOn } from '@sim2servo/models/site';
import type { ByteStream } from '../byte-stream.js';
import {
  finiteTarget,
  type HaltKind,
  type HoldBy,
  type Loose,
  notArmed,
  notHeld,
  type ServoLink,
  type ServoMotion,
  type ServoState,
} from '../servo-link.js';
import { configureServos, type Permit, type ServoChange } from './configure-servos.js';
import { feetechCycle, sampleBytes, torqueLookUs } from './feetech-cycle.js';
import { JointGoals, motionBytes } from './joint-goals.js';
import { statusWords } from './packet.js';
import { decodeRegister, sts3215 } from './registers.js';
import { type Block, ServoBus } from './servo-bus.js';
import { checkMemory, memoryOf, readMemory } from './servo-memory.js';

const { presentPosition, presentSpeed, torqueEnable, acceleration, goalPosition } = sts3215;
/** Looks that find no time in a tick are put off; an arm of whose switches nothing was heard for this long is not moved on. */
const torqueUnseenUs = 1e6;
/** Torque switch, acceleration, goal position. */
const heldBytes = goalPosition.address + goalPosition.bytes - torqueEnable.address;

/** A hold leaves goals this far ahead of where the joints are: enough to carry the load, too little to go on. */
const holdLeadS = 0.02;
/** A servo lags behind a goal that moves by its speed times this, and so it coasts on as far when that stands still. */
const coastS = 0.08;
/** How long a hold waits to know where the joints are. */
const holdLookUs = 20_000;
const tries = 3;

export interface FeetechOptions {
  readonly open: () => Promise<ByteStream>;
  readonly clock: Clock;
  readonly spec: RobotSpec;
  readonly site: Site;
}

export class FeetechLink implements ServoLink, ServoMotion {
  readonly #options: FeetechOptions;
  readonly #clock: Clock;
  readonly #leadUs: number;
  readonly #joints: JointGoals;
  #bus: ServoBus | undefined;
  #sample!: Block;
  #held!: Block;
  /** [joints] the switches as they were last seen. */
  #torque!: Block;
  #samples = 0;
  /** Until when looks have been done that fell due; and when the last one was answered. */
  #lookedUs = 0;
  #seenUs = 0;
  #nextLook = 0;
  #device: ServoState['device'] = 'limp';
  #reason = '';
  /** [joints] the complaints at which a servo takes its own torque away; its switch says on all the same. */
  #unloads: readonly number[] = [];
  #hostArmed = false;
  #fedUs = 0;

  /** @throws KitError E_SERVO_RANGE */
  constructor(options: FeetechOptions) {
    const { bus, servos } = siteOn(options.site, 'feetech');
    this.#options = options;
    this.#clock = options.clock;
    this.#leadUs = bus.leadMs * 1000;
    this.#joints = new JointGoals(options.spec, servos);
  }

  /** @throws KitError E_NO_ANSWER, E_SERVO_MISSING, E_SERVO_MODEL, E_SERVO_MEMORY, E_NO_SAMPLE, E_PORT_* */
  async open(): Promise<ServoMotion> {
    const bus = await this.#connect();
    try {
      const { servos, ranges } = this.#joints;
      const memory = await readMemory(bus, servos);
      for (const [j, servo] of servos.entries()) checkMemory(servo, ranges[j]!, memoryOf(memory, j));
      const { unloadCondition } = sts3215;
      this.#unloads = servos.map((_, j) =>
        decodeRegister(unloadCondition, memoryOf(memory, j), unloadCondition.address),
      );
      await this.#all(bus, this.#held);
      const powered = servos.some((_, j) => this.#held.data[j * heldBytes] !== 0);
      this.#joints.goals.set(servos.map((_, j) => this.#heldGoal(j)));
      this.#device = powered ? 'held' : 'limp';
      this.#reason = powered ? 'its torque was on before this host came' : '';
      this.#hostArmed = false;
    } catch (error) {
      await this.close();
      throw error;
    }
    return this;
  }

  /** The arm stays as it is. */
  async close(): Promise<void> {
    const bus = this.#bus;
    this.#bus = undefined;
    await bus?.port.close();
  }

  /**
   * Sets up the servos' memories for this robot: limits at its ranges, position mode, no return delay. Opens and closes the port itself.
   *
   * @throws KitError see {@link configureServos}, E_PORT_*
   */
  async configure(permit: Permit): Promise<readonly ServoChange[]> {
    const bus = await this.#connect();
    try {
      return await configureServos(bus, this.#joints.servos, this.#joints.ranges, permit);
    } finally {
      await this.close();
    }
  }

  get cycle(): BusCycle {
    const { baudRate, returnDelayUs } = this.#opened();
    return feetechCycle(this.#joints.servos.length, baudRate, returnDelayUs);
  }

  async read(out: ServoState, timeoutUs: number): Promise<boolean> {
    const bus = this.#opened();
    const until = this.#clock.nowUs() + timeoutUs;
    this.#noticeSilence();
    if (this.#hostArmed) await this.#lookAtSome(bus, timeoutUs);
    const fresh = await bus.poll(this.#sample, Math.max(0, until - this.#clock.nowUs()));
    if (fresh) {
      this.#samples++;
      this.#take();
      if (this.#device === 'armed') this.#latch(this.#ill(bus));
    }
    this.#joints.angles(out.position);
    out.sampledAtUs = bus.askedUs;
    out.sample = this.#samples;
    out.device = this.#device;
    out.reason = this.#reason;
    out.phaseUs = 0;
    out.periodUs = 0;
    out.linkErrors = bus.port.lostReplies + bus.port.strays;
    out.roundTripUs = bus.roundTripUs;
    return fresh;
  }

  write(targets: Float64Array): void {
    if (!this.#hostArmed) notArmed();
    const bus = this.#opened();
    const { servos } = this.#joints;
    for (let j = 0; j < servos.length; j++) finiteTarget(servos[j]!.joint, targets[j]!);
    this.#noticeSilence();
    if (this.#device !== 'armed') return;
    this.#joints.aim(targets, this.#leadUs / 1e6);
    this.#writeGoals(bus);
    this.#fedUs = this.#clock.nowUs();
  }

  async arm(): Promise<Float64Array> {
    const bus = this.#opened();
    this.#hostArmed = false;
    await this.#all(bus, this.#sample);
    this.#take();
    const ill = this.#ill(bus);
    if (ill !== '') throw refusal('E_ARM_REFUSED', `the arm can't be armed: ${ill}`);
    const stay = this.#joints.stay();
    // First where it stands is where it is to be, then torque: a servo that gets torque goes to whatever goal it holds.
    await this.#establish(bus, bus.block(acceleration.address, motionBytes), this.#joints.encodeMotion());
    await this.#establish(bus, this.#torque, new Uint8Array(this.#joints.servos.length).fill(1));
    this.#device = 'armed';
    this.#reason = '';
    this.#hostArmed = true;
    this.#fedUs = this.#clock.nowUs();
    this.#lookedUs = this.#fedUs;
    this.#seenUs = this.#fedUs;
    return stay;
  }

  async halt(kind: HaltKind, by: HoldBy = 'measured'): Promise<void> {
    const bus = this.#opened();
    this.#hostArmed = false;
    if (kind === 'relax') {
      await this.#establish(bus, this.#torque, new Uint8Array(this.#joints.servos.length));
      this.#device = 'limp';
    } else if (this.#device !== 'limp') {
      await this.#hold(bus, by);
      if (this.#device === 'armed') this.#device = 'held';
    }
    this.#reason = 'the host asked for it';
  }

  #opened(): ServoBus {
    if (this.#bus === undefined) throw new KitError('E_PORT_CLOSED', 'the port is not open', 'open it first', 'bug');
    this.#bus.port.checkOpen();
    return this.#bus;
  }

  async #connect(): Promise<ServoBus> {
    const { open, site } = this.#options;
    const ids = this.#joints.servos.map(servo => servo.id);
    const bus = new ServoBus(await open(), this.#clock, siteOn(site, 'feetech').bus.baudRate, ids);
    this.#sample = bus.block(presentPosition.address, sampleBytes);
    this.#held = bus.block(torqueEnable.address, heldBytes);
    this.#torque = bus.block(torqueEnable.address, torqueEnable.bytes);
    this.#bus = bus;
    return bus;
  }

  /** A block of every servo. @throws KitError E_NO_SAMPLE */
  async #all(bus: ServoBus, block: Block): Promise<void> {
    if (await bus.read(block)) return;
    throw new KitError(
      'E_NO_SAMPLE',
      `no answer from ${servoNames(...this.#joints.servos.filter((_, j) => bus.due[j] === 1))}`,
      'check cables and supply',
      'timeout',
    );
  }

  #take(): void {
    for (let j = 0; j < this.#joints.servos.length; j++) {
      const at = (register: { readonly address: number }) =>
        j * sampleBytes + register.address - presentPosition.address;
      this.#joints.present[j] = decodeRegister(presentPosition, this.#sample.data, at(presentPosition));
      this.#joints.moving[j] = decodeRegister(presentSpeed, this.#sample.data, at(presentSpeed));
    }
  }

  #heldGoal(joint: number): number {
    const offset = goalPosition.address - torqueEnable.address;
    return decodeRegister(goalPosition, this.#held.data, joint * heldBytes + offset);
  }

  /**
   * As many torque switches as are due since the last look, and as there is time for beside the sample: replies that come after their time
   * would spoil it. One that does not answer now shows in the sample, too.
   */
  async #lookAtSome(bus: ServoBus, timeoutUs: number): Promise<void> {
    const { servos } = this.#joints;
    const nowUs = this.#clock.nowUs();
    const everyUs = torqueLookUs / servos.length;
    if (nowUs - this.#seenUs > torqueUnseenUs)
      this.#latch("for a second nothing was heard of the servos' torque switches: a read is too short for them");
    const spareUs = timeoutUs - bus.usualUs(servos.length, this.#sample);
    let looks = Math.min(servos.length, Math.floor((nowUs - this.#lookedUs) / everyUs));
    while (looks > 0 && bus.usualUs(looks, this.#torque) > spareUs) looks--;
    if (looks === 0) return;
    this.#lookedUs = looks === servos.length ? nowUs : this.#lookedUs + looks * everyUs;
    const looked = Array.from({ length: looks }, (_, i) => (this.#nextLook + i) % servos.length);
    // What is left is for asking for the sample again.
    const patienceUs = Math.min(spareUs, Math.max(timeoutUs / 4, bus.usualUs(looks, this.#torque)));
    // Whoever did not answer is asked again in the next tick.
    if (!(await bus.readSome(looked, this.#torque, patienceUs))) return;
    this.#seenUs = this.#clock.nowUs();
    this.#nextLook = (this.#nextLook + looks) % servos.length;
    const lost = servos.filter((_, j) => this.#torque.data[j] !== 1);
    if (lost.length > 0) this.#latch(`${servoNames(...lost)} has lost its torque: it was reset or lost its supply`);
  }

  /** The servos go on by themselves when the host is silent, so a host that comes back after a while does not: what it wants is old. */
  #noticeSilence(): void {
    if (this.#clock.nowUs() - this.#fedUs > this.#leadUs) this.#latch('no motion command came in time');
  }

  #latch(reason: string): void {
    if (this.#device !== 'armed' || reason === '') return;
    this.#device = 'latched';
    this.#reason = reason;
  }

  /** What the servos' last replies complain of, in words; empty where nothing is wrong. */
  #ill({ status }: ServoBus): string {
    if (status.every(bits => bits === 0)) return '';
    return this.#joints.servos
      .flatMap((servo, j) => (status[j] === 0 ? [] : [`${servoNames(servo)}: ${statusWords(status[j]!)}`]))
      .join('; ');
  }

  #writeGoals(bus: ServoBus): void {
    bus.write(goalPosition.address, goalPosition.bytes, this.#joints.encodeGoals());
  }

  /** Writes a block of all servos until they all say that they have it. @throws KitError E_SERVO_REFUSED */
  async #establish(bus: ServoBus, block: Block, data: Uint8Array): Promise<void> {
    const { address, bytes } = block;
    for (let i = 0; i < tries; i++) {
      bus.write(address, bytes, data);
      if ((await bus.read(block)) && block.data.every((byte, k) => byte === data[k])) return;
    }
    const part = (all: Uint8Array, j: number) => all.subarray(j * bytes, (j + 1) * bytes).join();
    const others = this.#joints.servos.filter((_, j) => bus.due[j] === 1 || part(block.data, j) !== part(data, j));
    throw refusal('E_SERVO_REFUSED', `${servoNames(...others)} does not take what is written to register ${address}`);
  }

  /** Goals close to where the joints are, and torque on every one of them. @throws KitError E_HALT_REFUSED */
  async #hold(bus: ServoBus, by: HoldBy): Promise<void> {
    const { servos } = this.#joints;
    let loose: readonly Loose[] = [];
    for (let i = 0; i < tries; i++) {
      // Where they do not answer they may still hear: they are told to keep their goals. What was measured before is too old to hold by.
      if (by === 'measured' && (await bus.poll(this.#sample, holdLookUs))) {
        this.#take();
        this.#joints.shorten(holdLeadS, coastS);
      }
      this.#writeGoals(bus);
      await bus.read(this.#held);
      loose = servos.flatMap((servo, j) => {
        const why = this.#whyLoose(bus, j);
        return why === '' ? [] : [{ who: servoNames(servo), why }];
      });
      if (loose.length === 0) return;
    }
    throw notHeld(loose, servos.length);
  }

  /** Why a servo does not hold, after a read of what it was told; empty where it does. */
  #whyLoose(bus: ServoBus, joint: number): string {
    if (bus.due[joint] === 1) return 'may NOT be held (no answer)';
    if (this.#held.data[joint * heldBytes] !== 1) return 'NOT held (no torque)';
    const cause = bus.status[joint]! & this.#unloads[joint]!;
    if (cause !== 0) return `NOT held (${statusWords(cause)}, and so it takes its torque away itself)`;
    return this.#heldGoal(joint) === this.#joints.goals[joint] ? '' : 'may NOT be held (it does not take its goal)';
  }
}

function refusal(code: string, message: string): KitError {
  return new KitError(code, message, 'see that the arm is free; cut the power of the servos if it moves', 'safetyStop');
}
