/**
 * One servo asked or told at a time: what opening, arming and stopping do. Each request is answered, or asked again, or an error that names
 * the servo. It knows nothing of joints but their names.
 */
import { wireUs } from '@sim2servo/models/bus-cycle';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import { type NamedServo, servoNames } from '@sim2servo/models/site';
import type { ByteStream } from '../byte-stream.js';
import { HalfDuplexPort, type ReplyReader } from '../half-duplex-port.js';
import {
  broadcastId,
  decodePacket,
  encodePacket,
  instructions,
  littleEndian,
  maxPacketBytes,
  numberAt,
  packetLength,
} from './packet.js';
import { alertBit, errorWordsOf, type Register, returnDelayStepUs } from './registers.js';

const tries = 3;
/** Longest return delay, and what adapters take that pass bytes on every 16 ms. */
const answerSlackUs = 255 * returnDelayStepUs + 20_000;
/** Bytes of a status packet around its data. */
export const statusOverheadBytes = 11;

/** Waits for the status packet of one servo. */
class StatusReply implements ReplyReader {
  readonly #room = new Uint8Array(maxPacketBytes);
  id = 0;
  dataBytes = 0;
  error = 0;
  data = new Uint8Array(0);

  expect(id: number, dataBytes: number): void {
    this.id = id;
    this.dataBytes = dataBytes;
  }

  take(buffer: Uint8Array, start: number, end: number): number {
    const length = packetLength(buffer, start, end);
    if (length <= 0) return length;
    const { id, instruction, parameters } = decodePacket(buffer, start, length, this.#room);
    if (id !== this.id || instruction !== instructions.status || parameters.length === 0) return -1;
    const error = parameters[0]!;
    const isRefusal = (error & ~alertBit) !== 0;
    // An answer to an older question may have another length.
    if (!isRefusal && parameters.length !== 1 + this.dataBytes) return -1;
    this.error = error;
    this.data = parameters.slice(1);
    return length;
  }
}

export class DynamixelBus {
  readonly port: HalfDuplexPort;
  readonly #baudRate: number;
  readonly #reply = new StatusReply();

  constructor(stream: ByteStream, clock: Clock, baudRate: number) {
    this.port = new HalfDuplexPort(stream, clock, baudRate);
    this.#baudRate = baudRate;
  }

  /** Model number and firmware version; undefined where nobody answers. */
  async ping({ id }: NamedServo): Promise<{ readonly model: number; readonly firmware: number } | undefined> {
    if (!(await this.#ask(id, encodePacket(id, instructions.ping), 3))) return undefined;
    return { model: numberAt(this.#reply.data, 0, 2), firmware: this.#reply.data[2]! };
  }

  /** @throws KitError E_SERVO_SILENT, E_SERVO_REFUSED, E_PORT_CLOSED */
  async read(servo: NamedServo, { address, bytes, signed }: Register): Promise<number> {
    const parameters = [...littleEndian(address, 2), ...littleEndian(bytes, 2)];
    await this.#demand(servo, encodePacket(servo.id, instructions.read, parameters), bytes, `read ${address}`);
    return numberAt(this.#reply.data, 0, bytes, signed);
  }

  /** Several registers that lie side by side; undefined where nobody answers. @throws KitError E_SERVO_REFUSED, E_PORT_CLOSED */
  async readBytes(servo: NamedServo, address: number, bytes: number): Promise<Uint8Array | undefined> {
    const parameters = [...littleEndian(address, 2), ...littleEndian(bytes, 2)];
    if (!(await this.#ask(servo.id, encodePacket(servo.id, instructions.read, parameters), bytes))) return undefined;
    this.#checkRefusal(servo, `read ${address}`);
    return this.#reply.data;
  }

  async write(servo: NamedServo, { address, bytes }: Register, value: number): Promise<void> {
    await this.writeBytes(servo, address, littleEndian(value, bytes));
  }

  /** Several registers that lie side by side. @throws KitError E_SERVO_SILENT, E_SERVO_REFUSED, E_PORT_CLOSED */
  async writeBytes(servo: NamedServo, address: number, data: readonly number[]): Promise<void> {
    const parameters = [...littleEndian(address, 2), ...data];
    const what = `write [${data.join(' ')}] to ${address}`;
    await this.#demand(servo, encodePacket(servo.id, instructions.write, parameters), 0, what);
  }

  /** Told without an answer, for what decides whether it answers. */
  tell(servo: NamedServo, { address, bytes }: Register, value: number): void {
    const data = [...littleEndian(address, 2), ...littleEndian(bytes, 2), servo.id, ...littleEndian(value, bytes)];
    this.port.send(encodePacket(broadcastId, instructions.syncWrite, data));
  }

  async #demand(servo: NamedServo, request: Uint8Array, dataBytes: number, what: string): Promise<void> {
    const strays = this.port.strays;
    if (!(await this.#ask(servo.id, request, dataBytes)))
      throw new KitError(
        'E_SERVO_SILENT',
        `${servoNames(servo)} does not answer: ${what}`,
        this.port.strays > strays
          ? 'what came was damaged: check that no other servo has this id, the cable, and its baud rate'
          : 'check its cable and its power',
        'noDevice',
      );
    this.#checkRefusal(servo, what);
  }

  #checkRefusal(servo: NamedServo, what: string): void {
    const { error } = this.#reply;
    if ((error & ~alertBit) !== 0)
      throw new KitError(
        'E_SERVO_REFUSED',
        `${servoNames(servo)} refuses to ${what}: ${errorWordsOf(error)}`,
        'check its model and its limits in DYNAMIXEL Wizard',
        'noDevice',
      );
  }

  /** Repeating is harmless: every request here does the same when it is done twice. */
  #ask(id: number, request: Uint8Array, dataBytes: number): Promise<boolean> {
    const timeoutUs = wireUs(request.length + statusOverheadBytes + dataBytes, this.#baudRate) + answerSlackUs;
    this.#reply.expect(id, dataBytes);
    return this.port.insist(request, this.#reply, timeoutUs, tries);
  }
}
