/**
 * An STS3215 as its bus sees it: the whole register table, memory that outlives a reset unless it is locked, status bits, return delay,
 * response level, and a motor that follows its goal at the speed and the acceleration that it was given.
 *
 * Where the manual leaves open what a servo does, this one does what is worse for the host: it gets torque with whatever goal it holds,
 * falls limp when it is too hot or overloaded, and stays limp until it is told something after that is over.
 */
import {
  broadcastId,
  encodePacket,
  instruction,
  PacketReader,
  statusBits,
} from '@sim2servo/firmware-bridge/feetech/packet';
import {
  baudRates,
  decodeRegister,
  eepromEnd,
  encodeRegister,
  type Register,
  returnDelayUs,
  sts3215,
  tableBytes,
} from '@sim2servo/firmware-bridge/feetech/registers';
import { countsPerTurn } from '@sim2servo/models/site';
import type { Answer, BusServo, Horn } from './bus-servo.js';

const accelerationUnit = 100;
/** Of a servo without a load at 12 V. */
const topSpeed = 3400;
const middle = 2048;
const torque = { off: 0, on: 1, damping: 2, middle: 128 } as const;
/** Pull per count between goal and horn, in thousandths of the torque. */
const loadPerCount = 4;
const maxLoad = 1000;
const restingVoltage = 120;
const restingTemperature = 32;

type RegisterName = keyof typeof sts3215;

export interface Sts3215Options {
  readonly id: number;
  /** That it was set up for. */
  readonly baudRate: number;
  readonly horn: Horn;
}

export class Sts3215 implements BusServo {
  readonly #horn: Horn;
  readonly #memory = new Uint8Array(eepromEnd);
  readonly #table = new Uint8Array(tableBytes);
  readonly #packets = new PacketReader(packet => this.#obey(packet));
  /** Kept for an action: address and data. */
  #waiting: Uint8Array | undefined;
  #answer: Answer | undefined;
  /** Where the motor is driven now, and how fast that moves; raw counts. */
  #setpoint = 0;
  #speed = 0;
  #unloaded = false;
  #silentS = 0;
  /** What a test may do to it: supply, heat, a load that it can't move, a sensor that fails, a current. */
  readonly strain = {
    voltage: restingVoltage,
    temperature: restingTemperature,
    overload: false,
    sensor: false,
    current: 0,
  };

  constructor({ id, baudRate, horn }: Sts3215Options) {
    this.#horn = horn;
    for (const name of Object.keys(sts3215) as RegisterName[]) {
      const register: Register = sts3215[name];
      if (register.address < eepromEnd) encodeRegister(register, register.initial ?? 0, this.#memory, register.address);
    }
    encodeRegister(sts3215.id, id, this.#memory, sts3215.id.address);
    // One that is used was set up for it.
    encodeRegister(sts3215.returnDelay, 0, this.#memory, sts3215.returnDelay.address);
    const index = (baudRates as readonly number[]).indexOf(baudRate);
    encodeRegister(sts3215.baudRate, index, this.#memory, sts3215.baudRate.address);
    this.#powerUp();
  }

  /** Value of a register, past the protocol. */
  get(name: RegisterName): number {
    return decodeRegister(sts3215[name], this.#table, sts3215[name].address);
  }

  /** Sets a register past the protocol; one of the memory for good. */
  set(name: RegisterName, value: number): void {
    const register: Register = sts3215[name];
    encodeRegister(register, value, this.#table, register.address);
    if (register.address < eepromEnd) encodeRegister(register, value, this.#memory, register.address);
  }

  /** Loses its supply for an instant: silent for `silentS`, then limp and as its memory says. */
  restart(silentS: number): void {
    this.#powerUp();
    this.#silentS = silentS;
  }

  #powerUp(): void {
    this.#table.fill(0);
    this.#table.set(this.#memory);
    for (const name of Object.keys(sts3215) as RegisterName[]) {
      const register: Register = sts3215[name];
      if (register.address >= eepromEnd) encodeRegister(register, register.initial ?? 0, this.#table, register.address);
    }
    this.#packets.clear();
    this.#waiting = undefined;
    this.#unloaded = false;
    this.#setpoint = this.#horn();
    this.#speed = 0;
    this.#sense();
    encodeRegister(sts3215.goalPosition, this.get('presentPosition'), this.#table, sts3215.goalPosition.address);
  }

  get baudRate(): number | undefined {
    return baudRates[this.get('baudRate')];
  }

  hear(byte: number): Answer | undefined {
    if (this.#silentS > 0) return undefined;
    this.#answer = undefined;
    this.#packets.push(byte);
    return this.#answer;
  }

  step(seconds: number): number {
    this.#silentS = Math.max(0, this.#silentS - seconds);
    const before = this.get('presentPosition');
    this.#sense();
    const speed = (this.get('presentPosition') - before) / seconds;
    encodeRegister(sts3215.presentSpeed, Math.round(speed), this.#table, sts3215.presentSpeed.address);
    if (!this.#powered) {
      this.#setpoint = this.#horn();
      this.#speed = 0;
      return Number.NaN;
    }
    this.#follow(seconds);
    return this.#setpoint;
  }

  get #powered(): boolean {
    return this.get('torqueEnable') === torque.on && !this.#unloaded && this.get('torqueLimit') > 0;
  }

  /** Moves the setpoint towards the goal. */
  #follow(seconds: number): void {
    const low = this.get('minPosition');
    const high = this.get('maxPosition');
    const goal = this.get('goalPosition');
    const limited = low === high ? goal : Math.max(low, Math.min(high, goal));
    const way = limited + this.get('homingOffset') - this.#setpoint;
    const limit = Math.min(topSpeed, this.get('goalSpeed') || topSpeed);
    const ramp = (this.get('acceleration') || Number.POSITIVE_INFINITY) * accelerationUnit;
    // As fast as it may still be to stop at the goal, and no faster than it can have become since the last step.
    const fastest = Math.min(limit, Math.sqrt(2 * ramp * Math.abs(way)), Math.abs(way) / seconds);
    const wanted = Math.sign(way) * (Number.isNaN(fastest) ? 0 : fastest);
    const change = ramp * seconds;
    this.#speed += Math.max(-change, Math.min(change, wanted - this.#speed));
    this.#setpoint += this.#speed * seconds;
  }

  /** What it measures, and what it complains of. */
  #sense(): void {
    const put = (name: RegisterName, value: number) =>
      encodeRegister(sts3215[name], value, this.#table, sts3215[name].address);
    const horn = this.#horn();
    const { voltage, temperature, overload, sensor, current } = this.strain;
    const turned = horn - this.get('homingOffset');
    put('presentPosition', ((turned % countsPerTurn) + countsPerTurn) % countsPerTurn);
    const pull = this.#powered ? Math.round(loadPerCount * (this.#setpoint - horn)) : 0;
    put('presentLoad', overload ? maxLoad : Math.max(-maxLoad, Math.min(maxLoad, pull)));
    put('presentVoltage', voltage);
    put('presentTemperature', temperature);
    put('presentCurrent', current + Math.abs(pull) / 10);
    put('moving', this.#speed === 0 ? 0 : 1);
    const bits = [
      voltage < this.get('minVoltage') || voltage > this.get('maxVoltage'),
      sensor,
      temperature > this.get('maxTemperature'),
      current > this.get('maxCurrent'),
      overload,
    ];
    const status = bits.reduce((sum, on, i) => sum | (on ? 1 << statusBits[i]!.bit : 0), 0);
    put('status', status);
    if ((status & this.get('unloadCondition')) !== 0) this.#unloaded = true;
  }

  #obey(packet: Uint8Array): void {
    const [, , id, , code] = packet as unknown as [number, number, number, number, number];
    const parameters = packet.slice(5, -1);
    const own = this.get('id');
    const mine = id === own;
    if (!mine && id !== broadcastId) return;
    const confirm = () => {
      if (mine && this.get('responseLevel') === 1) this.#reply([], 0);
    };
    switch (code) {
      case instruction.ping:
        // Asked all together they answer in the order of their ids.
        this.#reply([], mine ? 0 : own);
        break;
      case instruction.read:
        if (mine) this.#reply(this.#read(parameters[0]!, parameters[1]!), 0);
        break;
      case instruction.write:
        this.#write(parameters[0]!, parameters.subarray(1));
        confirm();
        break;
      case instruction.regWrite:
        this.#waiting = parameters;
        this.#table[sts3215.asyncFlag.address] = 1;
        confirm();
        break;
      case instruction.action:
        if (this.#waiting !== undefined) this.#write(this.#waiting[0]!, this.#waiting.subarray(1));
        this.#waiting = undefined;
        this.#table[sts3215.asyncFlag.address] = 0;
        confirm();
        break;
      case instruction.syncRead: {
        const turn = parameters.indexOf(own, 2) - 2;
        if (!mine && turn >= 0) this.#reply(this.#read(parameters[0]!, parameters[1]!), turn);
        break;
      }
      case instruction.syncWrite: {
        const bytes = parameters[1]!;
        for (let at = 2; !mine && at + bytes < parameters.length; at += 1 + bytes)
          if (parameters[at] === own) this.#write(parameters[0]!, parameters.subarray(at + 1, at + 1 + bytes));
        break;
      }
      case instruction.reboot:
        this.restart(0.1);
        break;
      case instruction.reset:
        confirm();
        this.#factory();
        break;
      case instruction.calibrate:
        this.#centre();
        confirm();
        break;
    }
  }

  #reply(data: ArrayLike<number>, turn: number): void {
    const packet = encodePacket(this.get('id'), this.get('status'), data);
    const delayUs = Math.max(1, this.get('returnDelay')) * returnDelayUs;
    this.#answer = { turn, delayUs, length: packet.length, bytes: () => packet };
  }

  /** Past the end of the table there is nothing but zeros. */
  #read(address: number, bytes: number): Uint8Array {
    const data = new Uint8Array(bytes);
    data.set(this.#table.subarray(address, address + bytes));
    return data;
  }

  #write(address: number, data: Uint8Array): void {
    for (const [i, byte] of data.entries()) {
      const at = address + i;
      if (readOnly.has(at) || at >= tableBytes) continue;
      if (at === sts3215.torqueEnable.address && byte === torque.middle) {
        this.#centre();
        continue;
      }
      this.#table[at] = byte;
      if (at < eepromEnd && this.get('lock') === 0) this.#memory[at] = byte;
    }
    // A motion command, or torque anew, takes it out of the protection, once its reason is gone.
    if (address + data.length > eepromEnd && (this.get('status') & this.get('unloadCondition')) === 0)
      this.#unloaded = false;
  }

  /** Where the horn stands becomes the middle of the turn. */
  #centre(): void {
    this.set('homingOffset', this.#horn() - middle);
    this.#sense();
    encodeRegister(sts3215.goalPosition, middle, this.#table, sts3215.goalPosition.address);
  }

  /** As it left the factory, but for id and baud rate. */
  #factory(): void {
    for (const name of Object.keys(sts3215) as RegisterName[]) {
      const register: Register = sts3215[name];
      if (register.address < eepromEnd && name !== 'id' && name !== 'baudRate') this.set(name, register.initial ?? 0);
    }
  }
}

const readOnly: ReadonlySet<number> = new Set(
  Object.values<Register>(sts3215)
    .filter(register => register.readOnly === true)
    .flatMap(({ address, bytes }) => (bytes === 2 ? [address, address + 1] : [address])),
);
