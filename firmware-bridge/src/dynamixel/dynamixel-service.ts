/** Dynamixel servos for servicing: one at a time, by id. */
import type { Clock } from '@sim2servo/models/clock';
import type { ByteStream } from '../byte-stream.js';
import type { HalfDuplexPort } from '../half-duplex-port.js';
import type { ServiceBus, ServiceRegister, ServoMemory, ServoSample } from '../service-bus.js';
import { DynamixelBus } from './dynamixel-bus.js';
import { encodePacket, instructions, littleEndian, numberAt } from './packet.js';
import {
  baudRates,
  type DynamixelModel,
  dynamixelModels,
  hardwareErrorWords,
  operatingModes,
  type Register,
  ramFrom,
  registers,
  velocityStepCountsPerS,
} from './registers.js';

const { presentTemperature, torqueEnable } = registers;
/** From the torque switch to the temperature: all that changes, in one read. */
const sampleBytes = presentTemperature.address + presentTemperature.bytes - torqueEnable.address;
const stepsPerPercent = 10;
const stepsPerVolt = 10;
/** A servo writes its memory for some milliseconds. */
const keepUs = 50_000;

export class DynamixelService implements ServiceBus {
  readonly kind = 'dynamixel';
  readonly baudRates = baudRates;
  readonly #bus: DynamixelBus;
  readonly #clock: Clock;
  /** Who was asked for its memory: what a number in a sample means is the model's. */
  readonly #models = new Map<number, DynamixelModel | undefined>();

  constructor(stream: ByteStream, clock: Clock, baudRate: number) {
    this.#clock = clock;
    this.#bus = new DynamixelBus(stream, clock, baudRate);
  }

  get port(): HalfDuplexPort {
    return this.#bus.port;
  }

  async memory(id: number): Promise<ServoMemory | undefined> {
    const memory = await this.#bus.readBytes({ id }, 0, ramFrom);
    if (memory === undefined) return undefined;
    const value = ({ address, bytes, signed }: Register) => numberAt(memory, address, bytes, signed);
    const number = value(registers.modelNumber);
    const [name, model] = Object.entries(dynamixelModels).find(([, known]) => known.number === number) ?? [];
    this.#models.set(id, model);
    return {
      model: name ?? `model ${number}`,
      baudRate: baudRates[value(registers.baudRate)],
      homingOffset: value(registers.homingOffset),
      driveMode: value(registers.driveMode),
      inPositionMode: value(registers.operatingMode) === operatingModes.position,
    };
  }

  async sample(id: number): Promise<ServoSample | undefined> {
    if (!this.#models.has(id) && (await this.memory(id)) === undefined) return undefined;
    const table = await this.#bus.readBytes({ id }, torqueEnable.address, sampleBytes);
    if (table === undefined) return undefined;
    const value = ({ address, bytes, signed }: Register) =>
      numberAt(table, address - torqueEnable.address, bytes, signed);
    const load = value(registers.presentLoad);
    const currentStepMa = this.#models.get(id)?.currentStepMa;
    return {
      torque: value(torqueEnable) !== 0,
      positionCounts: value(registers.presentPosition),
      speedCountsPerS: value(registers.presentVelocity) * velocityStepCountsPerS,
      ...(currentStepMa === undefined ? { loadPercent: load / stepsPerPercent } : { currentMa: load * currentStepMa }),
      voltageV: value(registers.presentInputVoltage) / stepsPerVolt,
      temperatureC: value(presentTemperature),
      fault: hardwareErrorWords(value(registers.hardwareErrorStatus)),
    };
  }

  async write(id: number, name: ServiceRegister, value: number): Promise<void> {
    const { address, bytes } = registers[name];
    const setting = name === 'baudRate' ? (baudRates as readonly number[]).indexOf(value) : value;
    const parameters = [...littleEndian(address, 2), ...littleEndian(setting, bytes)];
    this.port.send(encodePacket(id, instructions.write, parameters));
    await this.#clock.waitUntil(this.#clock.nowUs() + keepUs);
  }

  /** It has no lock but its torque. */
  async lock(): Promise<void> {}
}
