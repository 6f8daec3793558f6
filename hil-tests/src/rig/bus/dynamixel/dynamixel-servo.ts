/**
 * An emulated Dynamixel: its control table, what writing to it does, its bus watchdog, its motion profile, its faults. Plain: whoever has
 * it brings the time and the physics, which turn {@link DynamixelServo.targetCounts} into {@link DynamixelServo.turnedTo}.
 *
 * What the manual leaves open is done the way that is worst for a careless host: torque goes on towards whatever the goal register says,
 * and a watchdog that is cleared lets the servo go on to the goal that it had.
 */
import {
  type DynamixelModel,
  type DynamixelModelName,
  dynamixelModels,
  errors,
  operatingModes,
  ramFrom,
  watchdogFired,
  watchdogStepMs,
} from '@sim2servo/firmware-bridge/dynamixel/registers';
import { countsPerTurn } from '@sim2servo/models/site';
import { ControlTable } from './control-table.js';
import { MotionProfile } from './motion-profile.js';

/** Of the profile's registers. */
const countsPerSPerStep = (0.229 * countsPerTurn) / 60;
const countsPerS2PerStep = (214.577 * countsPerTurn) / 3600;
/** Time for which a servo that starts hears nothing. */
export const bootUs = 100_000;
const tickPeriodMs = 32_768;
const roomTemperature = 25;
const goals: readonly string[] = ['goalPwm', 'goalCurrent', 'goalVelocity', 'goalPosition'];
/** Registers whose value bounds that of another. */
const bounds: Readonly<Record<string, string>> = {
  goalPwm: 'pwmLimit',
  goalCurrent: 'currentLimit',
  goalVelocity: 'velocityLimit',
};

export interface DynamixelServoOptions {
  readonly model: DynamixelModelName;
  readonly id: number;
  /** New enough for everything unless given. */
  readonly firmware?: number;
  readonly positionCounts?: number;
}

export class DynamixelServo {
  readonly model: DynamixelModel;
  readonly table: ControlTable;
  readonly #profile: MotionProfile;
  #presentCounts: number;
  #nowUs = 0;
  #heardUs = 0;
  #deafUntilUs = 0;
  /** Stopped by its watchdog: no goal counts until it is cleared. */
  #stopped = false;
  /** By a hardware error, until it is rebooted. */
  #shutDown = false;
  /** Nobody has written a goal since torque went off. */
  #goalFollows = true;
  #registered: { readonly address: number; readonly data: Uint8Array } | undefined;

  constructor({ model, id, firmware = 52, positionCounts = countsPerTurn / 2 }: DynamixelServoOptions) {
    this.model = dynamixelModels[model];
    this.table = new ControlTable(this.model);
    this.#presentCounts = positionCounts;
    this.#profile = new MotionProfile(positionCounts);
    this.table.set('modelNumber', this.model.number);
    this.table.set('firmwareVersion', firmware);
    this.table.set('id', id);
    this.#powerUp();
  }

  get id(): number {
    return this.table.get('id');
  }

  get isTorqueOn(): boolean {
    return this.table.get('torqueEnable') === 1;
  }

  get isFast(): boolean {
    return this.table.get('firmwareVersion') >= this.model.fastReadFirmware;
  }

  get alert(): boolean {
    return this.table.get('hardwareErrorStatus') !== 0;
  }

  /** Where its motor pulls to now, in counts without homing offset; NaN while it is limp. */
  get targetCounts(): number {
    return this.isTorqueOn ? this.#profile.position : Number.NaN;
  }

  /** What the physics made of it. */
  turnedTo(counts: number, velocityCountsPerS: number): void {
    this.#presentCounts = counts;
    this.table.set('presentPosition', counts + this.table.get('homingOffset'));
    this.table.set('presentVelocity', velocityCountsPerS / countsPerSPerStep);
    if (!this.isTorqueOn) this.#profile.place(counts);
    if (this.#goalFollows) this.table.set('goalPosition', this.table.get('presentPosition'));
  }

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
    this.turnedTo(this.#presentCounts, 0);
  }

  /** Time goes by: the profile moves, the watchdog looks. */
  advance(nowUs: number): void {
    const seconds = (nowUs - this.#nowUs) / 1e6;
    this.#nowUs = nowUs;
    this.table.set('realtimeTick', Math.floor(nowUs / 1000) % tickPeriodMs);
    if (!this.isTorqueOn) return;
    const watchdog = this.table.get('busWatchdog');
    if (watchdog > 0 && watchdog !== watchdogFired && nowUs - this.#heardUs > watchdog * watchdogStepMs * 1000) {
      this.table.set('busWatchdog', watchdogFired);
      this.#stopped = true;
      this.#profile.place(this.#presentCounts);
    }
    if (!this.#stopped) this.#move(seconds);
    this.table.set('positionTrajectory', this.#profile.position);
    this.table.set('moving', Math.abs(this.#profile.velocity) > 0 ? 1 : 0);
  }

  #move(seconds: number): void {
    const mode = this.table.get('operatingMode');
    if (mode === operatingModes.velocity)
      this.#profile.position += this.table.get('goalVelocity') * countsPerSPerStep * seconds;
    if (
      ![operatingModes.position, operatingModes.extendedPosition, operatingModes.currentBasedPosition].includes(
        mode as 3,
      )
    )
      return;
    const limits = {
      velocity: this.table.get('profileVelocity') * countsPerSPerStep,
      acceleration: this.table.get('profileAcceleration') * countsPerS2PerStep,
    };
    this.#profile.advance(this.table.get('goalPosition') - this.table.get('homingOffset'), limits, seconds);
  }

  /** An instruction packet went by on its wire, for whom ever. @returns whether it heard it */
  hear(nowUs: number): boolean {
    this.advance(nowUs);
    if (nowUs < this.#deafUntilUs) return false;
    this.#heardUs = nowUs;
    return true;
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
    const inTurn = name === 'goalPosition' && this.table.get('operatingMode') === operatingModes.position;
    if (inTurn && (value < this.table.get('minPositionLimit') || value > this.table.get('maxPositionLimit')))
      return errors.limit;
    return 0;
  }

  #written(name: string): void {
    if (name === 'goalPosition') this.#goalFollows = false;
    if (name === 'busWatchdog' && this.table.get(name) === 0) this.#stopped = false;
    if (name === 'torqueEnable') {
      this.#profile.place(this.#presentCounts);
      if (!this.isTorqueOn) this.#goalFollows = true;
    }
    if (name === 'homingOffset') this.turnedTo(this.#presentCounts, 0);
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

  reboot(): void {
    this.#powerUp();
    this.#deafUntilUs = this.#nowUs + bootUs;
  }

  /** @param kept 1: the id, 2: the id and the baud rate, else nothing */
  factoryReset(kept: number): void {
    const keep = [
      'modelNumber',
      'firmwareVersion',
      ...(kept >= 1 && kept <= 2 ? ['id'] : []),
      ...(kept === 2 ? ['baudRate'] : []),
    ];
    const values = keep.map(name => this.table.get(name));
    this.table.reset(0);
    for (const [i, name] of keep.entries()) this.table.set(name, values[i]!);
    this.reboot();
  }

  /** Something is wrong with its hardware: bits of the hardware error status. Those that its shutdown register names make it limp. */
  fault(bits: number): void {
    this.table.set('hardwareErrorStatus', bits);
    if ((bits & this.table.get('shutdown')) === 0) return;
    this.#shutDown = true;
    this.table.set('torqueEnable', 0);
    this.#written('torqueEnable');
  }
}
