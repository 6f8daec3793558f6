/** Feetech servos for servicing: one at a time, by id. */
import type { Clock } from '@sim2servo/models/clock';
import type { ByteStream } from '../byte-stream.js';
import type { HalfDuplexPort } from '../half-duplex-port.js';
import {
  lastServoId,
  type ServiceBus,
  type ServiceRegister,
  type ServoMemory,
  type ServoSample,
} from '../service-bus.js';
import { encodeWrite, statusWords } from './packet.js';
import {
  baudRates,
  decodeRegister,
  eepromEnd,
  type Register,
  registerBytes,
  returnDelayUs,
  sts3215,
} from './registers.js';
import { ServoBus } from './servo-bus.js';
import { memoryOf, positionMode } from './servo-memory.js';

const ids = Array.from({ length: lastServoId + 1 }, (_, id) => id);
const { torqueEnable, presentCurrent, lock } = sts3215;
/** From the torque switch to the current: all that changes, in one read. */
const sampleBytes = presentCurrent.address + presentCurrent.bytes - torqueEnable.address;
const stepsPerPercent = 10;
const stepsPerVolt = 10;
const milliamperePerStep = 6.5;
/** A servo writes its memory for some milliseconds, and answers at its own pace. */
const keepUs = 50_000;

export class FeetechService implements ServiceBus {
  readonly kind = 'feetech';
  readonly baudRates = baudRates;
  readonly #bus: ServoBus;
  readonly #clock: Clock;
  readonly #memories = new Uint8Array(ids.length * eepromEnd);
  readonly #samples = new Uint8Array(ids.length * sampleBytes);

  constructor(stream: ByteStream, clock: Clock, baudRate: number) {
    this.#clock = clock;
    this.#bus = new ServoBus(stream, clock, baudRate, ids);
    // Whoever is asked, it is one.
    this.#bus.returnDelayUs = sts3215.returnDelay.initial * returnDelayUs;
  }

  get port(): HalfDuplexPort {
    return this.#bus.port;
  }

  async memory(id: number): Promise<ServoMemory | undefined> {
    if (!(await this.#bus.readOne(id, 0, eepromEnd, this.#memories))) return undefined;
    const memory = memoryOf(this.#memories, id);
    const value = (register: Register) => decodeRegister(register, memory, register.address);
    const model = value(sts3215.modelNumber);
    return {
      model: model === sts3215.modelNumber.initial ? 'sts3215' : `model ${model}`,
      baudRate: baudRates[value(sts3215.baudRate)],
      homingOffset: value(sts3215.homingOffset),
      driveMode: 0,
      inPositionMode: value(sts3215.mode) === positionMode,
    };
  }

  async sample(id: number): Promise<ServoSample | undefined> {
    if (!(await this.#bus.readOne(id, torqueEnable.address, sampleBytes, this.#samples))) return undefined;
    const value = (register: Register) =>
      decodeRegister(register, this.#samples, id * sampleBytes + register.address - torqueEnable.address);
    return {
      torque: value(torqueEnable) !== 0,
      positionCounts: value(sts3215.presentPosition),
      speedCountsPerS: value(sts3215.presentSpeed),
      loadPercent: value(sts3215.presentLoad) / stepsPerPercent,
      currentMa: value(presentCurrent) * milliamperePerStep,
      voltageV: value(sts3215.presentVoltage) / stepsPerVolt,
      temperatureC: value(sts3215.presentTemperature),
      fault: statusWords(value(sts3215.status)),
    };
  }

  async write(id: number, name: ServiceRegister, value: number): Promise<void> {
    const register: Register = sts3215[name];
    if (register.address < eepromEnd) await this.#bus.writeOne(id, lock.address, Uint8Array.of(0));
    const setting = name === 'baudRate' ? (baudRates as readonly number[]).indexOf(value) : value;
    this.port.send(encodeWrite(id, register.address, registerBytes(register, setting)));
    await this.#clock.waitUntil(this.#clock.nowUs() + keepUs);
  }

  async lock(id: number): Promise<void> {
    await this.#bus.writeOne(id, lock.address, Uint8Array.of(1));
  }
}
