/**
 * The one read of a tick: the same registers of every servo at once, in as few bytes as the servos can.
 *
 * What is read lies apart in the control table. Indirect slots put it side by side: 16 bytes instead of 83. Servos of one model have
 * their slots at one address and are asked by a sync read, mixed ones by a bulk read; where every firmware can, by the fast kind, whose
 * answer is one packet: seven bytes and a return delay less for each servo after the first.
 */
import type { ReplyReader } from '../half-duplex-port.js';
import { crc16 } from './crc16.js';
import { statusOverheadBytes } from './dynamixel-bus.js';
import {
  broadcastId,
  crcBytes,
  decodePacket,
  encodePacket,
  fastPartBytes,
  headerBytes,
  instructions,
  littleEndian,
  maxPacketBytes,
  numberAt,
  packetLength,
} from './packet.js';
import { type DynamixelModel, type RegisterName, registers } from './registers.js';

/** In the order of the slots. */
const fields = [
  'torqueEnable',
  'hardwareErrorStatus',
  'busWatchdog',
  'presentLoad',
  'presentVelocity',
  'presentPosition',
  'presentInputVoltage',
  'presentTemperature',
] as const satisfies readonly RegisterName[];
export type CycleField = (typeof fields)[number];

const offsets = new Map<CycleField, number>();
let blockBytes = 0;
for (const field of fields) {
  offsets.set(field, blockBytes);
  blockBytes += registers[field].bytes;
}
/** The register behind each slot, byte for byte. */
const slotAddresses = fields.flatMap(field => {
  const { address, bytes } = registers[field];
  return Array.from({ length: bytes }, (_, i) => address + i);
});
/** What has to be written to a servo's indirect addresses. */
export const slotBytes: readonly number[] = slotAddresses.flatMap(address => littleEndian(address, 2));

export interface CycleServo {
  readonly id: number;
  readonly model: DynamixelModel;
  readonly firmware: number;
}

export class CycleRead implements ReplyReader {
  readonly request: Uint8Array;
  /** Packets that answer it. */
  readonly due: number;
  /** Bytes of the answer. */
  readonly replyBytes: number;
  /** How many of the servos wait for their return delay. */
  readonly delays: number;
  readonly #ids: readonly number[];
  readonly #isFast: boolean;
  readonly #blocks: Uint8Array;
  readonly #taken: boolean[];
  readonly #room = new Uint8Array(maxPacketBytes);

  constructor(servos: readonly CycleServo[]) {
    this.#ids = servos.map(({ id }) => id);
    this.#isFast = servos.every(({ model, firmware }) => firmware >= model.fastReadFirmware);
    this.#blocks = new Uint8Array(servos.length * blockBytes);
    this.#taken = servos.map(() => false);
    const size = littleEndian(blockBytes, 2);
    const addresses = servos.map(({ model }) => model.indirect.data);
    if (new Set(addresses).size === 1) {
      const instruction = this.#isFast ? instructions.fastSyncRead : instructions.syncRead;
      this.request = encodePacket(broadcastId, instruction, [...littleEndian(addresses[0]!, 2), ...size, ...this.#ids]);
    } else {
      const instruction = this.#isFast ? instructions.fastBulkRead : instructions.bulkRead;
      const asked = this.#ids.flatMap((id, i) => [id, ...littleEndian(addresses[i]!, 2), ...size]);
      this.request = encodePacket(broadcastId, instruction, asked);
    }
    const count = servos.length;
    this.due = this.#isFast ? 1 : count;
    this.delays = this.#isFast ? 1 : count;
    this.replyBytes = this.#isFast
      ? headerBytes + 1 + count * (blockBytes + fastPartBytes)
      : count * (blockBytes + statusOverheadBytes);
  }

  /** Forgets who has answered. */
  begin(): void {
    this.#taken.fill(false);
  }

  take(buffer: Uint8Array, start: number, end: number): number {
    const length = packetLength(buffer, start, end);
    if (length <= 0) return length;
    const { id, instruction, parameters } = decodePacket(buffer, start, length, this.#room);
    if (instruction !== instructions.status) return -1;
    const isTaken = this.#isFast
      ? this.#takeAll(id, parameters, buffer.subarray(start, start + length))
      : this.#takeOne(id, parameters);
    return isTaken ? length : -1;
  }

  /**
   * `error, id, data, CRC` of each servo. The last CRC covers all that was heard by the last servo: what was spoilt before it came
   * there, only the CRC of its own part shows.
   */
  #takeAll(id: number, parameters: Uint8Array, packet: Uint8Array): boolean {
    const part = blockBytes + fastPartBytes;
    if (id !== broadcastId || parameters.length !== this.#ids.length * part - crcBytes) return false;
    let crc = 0;
    let from = 0;
    for (const [i, one] of this.#ids.entries()) {
      const crcAt = headerBytes + 1 + (i + 1) * part - crcBytes;
      crc = crc16(packet.subarray(from, crcAt), crc);
      if (parameters[i * part + 1] !== one || numberAt(packet, crcAt, crcBytes) !== crc) return false;
      crc = crc16(packet.subarray(crcAt, crcAt + crcBytes), crc);
      from = crcAt + crcBytes;
    }
    for (let i = 0; i < this.#ids.length; i++) this.#keep(i, parameters, i * part + 2);
    return true;
  }

  #takeOne(id: number, parameters: Uint8Array): boolean {
    const index = this.#ids.indexOf(id);
    if (index < 0 || this.#taken[index] || parameters.length !== 1 + blockBytes) return false;
    this.#keep(index, parameters, 1);
    return true;
  }

  #keep(index: number, from: Uint8Array, at: number): void {
    this.#taken[index] = true;
    for (let i = 0; i < blockBytes; i++) this.#blocks[index * blockBytes + i] = from[at + i]!;
  }

  /** What a servo said last. */
  value(index: number, field: CycleField): number {
    const { bytes, signed } = registers[field];
    return numberAt(this.#blocks, index * blockBytes + offsets.get(field)!, bytes, signed);
  }

  /** Servos that have not answered yet. */
  silent(): readonly number[] {
    return this.#taken.flatMap((taken, index) => (taken ? [] : [index]));
  }
}
