/**
 * An emulated Dynamixel: its control table, what writing to it does, its bus watchdog, its motion profile, its faults.
 *
 * What the manual leaves open is done the way that is worst for a careless host: torque goes on towards whatever the goal register says,
 * and a watchdog that is cleared lets the servo go on to the goal that it had.
 */
import { PacketReader } from '@sim2servo/firmware-bridge/dynamixel/packet-reader';
import {
  accelerationStepCountsPerS2,
  baudRates,
  type DynamixelModel,
  type DynamixelModelName,
  dynamixelModels,
  errors,
  operatingModes,
  ramFrom,
  velocityStepCountsPerS,
  watchdogFired,
  watchdogStepMs,
} from '@sim2servo/firmware-bridge/dynamixel/registers';
import type { Answer, BusServo, Horn } from '../bus-servo.js';
import { answerTo } from './answers.js';
import { ControlTable } from './control-table.js';
import { MotionProfile } from './motion-profile.js';

/** Bytes of one packet follow each other sooner. */
const longestPauseUs = 1_500;
/** Time for which a servo that starts hears nothing, unless it is said. */
const bootS = 0.1;
const tickPeriodMs = 32_768;
const roomTemperature = 25;
/** Share of a new velocity in the one that is told. */
const velocityShare = 0.2;
const goals: readonly string[] = ['goalPwm', 'goalCurrent', 'goalVelocity', 'goalPosition'];
const positionModes: readonly number[] = [
  operatingModes.position,
  operatingModes.extendedPosition,
  operatingModes.currentBasedPosition,
];
/** Registers whose value bounds that of another. */
const bounds: Readonly<Record<string, string>> = {
  goalPwm: 'pwmLimit',
  goalCurrent: 'currentLimit',
  goalVelocity: 'velocityLimit',
};

export interface DynamixelServoOptions {
  readonly model: DynamixelModelName;
  readonly id: number;
  /** That it was set up for. */
  readonly baudRate: number;
  /** New enough for everything unless given. */
  readonly firmware?: number;
}

export class DynamixelServo implements BusServo {
  readonly table: ControlTable;
  readonly #model: DynamixelModel;
  readonly #horn: Horn;
  readonly #profile = new MotionProfile();
  readonly #byte = new Uint8Array(1);
  readonly #reader = new PacketReader(packet => {
    this.#sample();
    this.#silentS = 0;
    this.#answer = answerTo(this, packet);
  });
  #answer: Answer | undefined;
  #heardUs = 0;
  #silentS = 0;
  /** Until it hears again. */
  #bootingS = 0;
  #upS = 0;
  #counts = 0;
  #velocity = 0;
  /** Stopped by its watchdog: no goal counts until it is cleared. */
  #stopped = false;
  /** By a hardware error, until it is rebooted. */
  #shutDown = false;
  /** Nobody has written a goal since torque went off. */
  #goalFollows = true;
  #registered: { readonly address: number; readonly data: Uint8Array } | undefined;

  constructor({ model, id, baudRate, firmware = 52 }: DynamixelServoOptions, horn: Horn) {
    this.#model = dynamixelModels[model];
    this.#horn = horn;
    this.table = new ControlTable(this.#model);
    this.table.set('modelNumber', this.#model.number);
    this.table.set('firmwareVersion', firmware);
    this.table.set('id', id);
    this.table.set('baudRate', (baudRates as readonly number[]).indexOf(baudRate));
    this.#powerUp();
  }

  /** Value of a register, past the protocol. */
  get(name: string): number {
    return this.table.get(name);
  }

  get isTorqueOn(): boolean {
    return this.table.get('torqueEnable') === 1;
  }

  get answersFastReads(): boolean {
    return this.table.get('firmwareVersion') >= this.#model.fastReadFirmware;
  }

  /** New, or without power for a moment. */
  #powerUp(): void {
    this.table.reset(ramFrom);
    this.table.set('presentInputVoltage', (this.table.get('minVoltageLimit') + this.table.get('maxVoltageLimit')) / 2);
    this.table.set('presentTemperature', roomTemperature);
    this.table.set('goalPwm', this.table.get('pwmLimit'));
    if ('goalCurrent' in this.table.registers) this.table.set('goalCurrent', this.table.get('currentLimit'));
    this.#stopped = false;
    this.#shutDown = false;
    this.#goalFollows = true;
    this.#registered = undefined;
    this.#upS = 0;
    this.#sample();
  }

  /** A new measurement. What a test has set with {@link ControlTable.set} lasts until then. */
  #sample(): void {
    this.#counts = this.#horn();
    const position = this.#counts + this.table.get('homingOffset');
    this.table.set('presentPosition', position);
    if (!this.isTorqueOn) this.#profile.place(this.#counts);
    if (this.#goalFollows) this.table.set('goalPosition', position);
  }

  get baudRate(): number | undefined {
    return baudRates[this.get('baudRate')];
  }

  hear(byte: number, timeUs: number): Answer | undefined {
    if (this.#bootingS > 0) return undefined;
    if (timeUs - this.#heardUs > longestPauseUs) this.#reader.reset();
    this.#heardUs = timeUs;
    this.#byte[0] = byte;
    this.#answer = undefined;
    this.#reader.push(this.#byte);
    return this.#answer;
  }

  step(seconds: number): number {
    this.#upS += seconds;
    this.#bootingS -= seconds;
    this.#silentS += seconds;
    const before = this.#counts;
    this.#sample();
    this.#velocity += velocityShare * ((this.#counts - before) / seconds - this.#velocity);
    this.table.set('presentVelocity', this.#velocity / velocityStepCountsPerS);
    this.table.set('realtimeTick', (this.#upS * 1000) % tickPeriodMs);
    if (!this.isTorqueOn) return Number.NaN;
    const watchdog = this.table.get('busWatchdog');
    if (watchdog > 0 && watchdog !== watchdogFired && this.#silentS * 1000 > watchdog * watchdogStepMs) {
      this.table.set('busWatchdog', watchdogFired);
      this.#stopped = true;
      this.#profile.place(this.#counts);
    }
    if (!this.#stopped) this.#move(seconds);
    this.table.set('positionTrajectory', this.#profile.position);
    this.table.set('moving', this.#profile.velocity === 0 ? 0 : 1);
    return this.#profile.position;
  }

  #move(seconds: number): void {
    const mode = this.table.get('operatingMode');
    if (mode === operatingModes.velocity) {
      this.#profile.place(this.#profile.position + this.table.get('goalVelocity') * velocityStepCountsPerS * seconds);
      return;
    }
    if (!positionModes.includes(mode)) return;
    const limits = {
      velocity: this.table.get('profileVelocity') * velocityStepCountsPerS,
      acceleration: this.table.get('profileAcceleration') * accelerationStepCountsPerS2,
    };
    this.#profile.advance(this.table.get('goalPosition') - this.table.get('homingOffset'), limits, seconds);
  }

  /** @returns an error, 0 for none */
  write(address: number, data: Uint8Array): number {
    const written = this.table.write(address, data, this.isTorqueOn, (name, value) => this.#refusal(name, value));
    if (typeof written === 'number') return written;
    for (const name of written) this.#written(name);
    return 0;
  }

  #refusal(name: string, value: number): number {
    if (this.#stopped && goals.includes(name)) return errors.range;
    if (name === 'torqueEnable' && value === 1 && this.#shutDown) return errors.result;
    const bound = bounds[name];
    if (bound !== undefined && Math.abs(value) > this.table.get(bound)) return errors.limit;
    const withinTurn = name === 'goalPosition' && this.table.get('operatingMode') === operatingModes.position;
    const [low, high] = [this.table.get('minPositionLimit'), this.table.get('maxPositionLimit')];
    return withinTurn && (value < low || value > high) ? errors.limit : 0;
  }

  #written(name: string): void {
    if (name === 'goalPosition') this.#goalFollows = false;
    if (name === 'busWatchdog' && this.table.get(name) === 0) this.#stopped = false;
    if (name === 'torqueEnable') this.#torqueChanged();
  }

  #torqueChanged(): void {
    this.#profile.place(this.#counts);
    if (!this.isTorqueOn) this.#goalFollows = true;
  }

  /** Keeps a write for {@link action}. */
  register(address: number, data: Uint8Array): number {
    this.#registered = { address, data: Uint8Array.from(data) };
    this.table.set('registeredInstruction', 1);
    return 0;
  }

  action(): number {
    const registered = this.#registered;
    if (registered === undefined) return errors.instruction;
    this.#registered = undefined;
    this.table.set('registeredInstruction', 0);
    return this.write(registered.address, registered.data);
  }

  /** Without its supply for an instant, or told to start anew: deaf for `silentS`, then limp and as its EEPROM says. */
  restart(silentS = bootS): void {
    this.#powerUp();
    this.#bootingS = silentS;
  }

  /** @param kept 1: the id, 2: the id and the baud rate, else nothing */
  factoryReset(kept: number): void {
    const own = kept === 1 ? ['id'] : kept === 2 ? ['id', 'baudRate'] : [];
    const keep = ['modelNumber', 'firmwareVersion', ...own];
    const values = keep.map(name => this.table.get(name));
    this.table.reset(0);
    for (const [i, name] of keep.entries()) this.table.set(name, values[i]!);
    this.restart();
  }

  /** Something is wrong with its hardware: bits of the hardware error status. Those that its shutdown register names make it limp. */
  fault(bits: number): void {
    this.table.set('hardwareErrorStatus', bits);
    if ((bits & this.table.get('shutdown')) === 0) return;
    this.#shutDown = true;
    this.table.set('torqueEnable', 0);
    this.#torqueChanged();
  }
}
