/** Emulated Dynamixels on an emulated wire, asked packet by packet. */
import { encodePacket, instructions, littleEndian, type Packet } from '@sim2servo/firmware-bridge/dynamixel/packet';
import { PacketReader } from '@sim2servo/firmware-bridge/dynamixel/packet-reader';
import { type RegisterName, registers } from '@sim2servo/firmware-bridge/dynamixel/registers';
import { BusWire } from '../../src/rig/bus/bus-wire.js';
import { DynamixelServo, type DynamixelServoOptions } from '../../src/rig/bus/dynamixel/dynamixel-servo.js';

const stepS = 0.002;
const baudRate = 1_000_000;

export class DynamixelWire {
  readonly servos: readonly DynamixelServo[];
  readonly wire: BusWire;
  /** Where the horns stand, counts. */
  readonly horns: number[];
  nowUs = 0;

  constructor(...servos: readonly (Omit<DynamixelServoOptions, 'baudRate'> & { readonly horn?: number })[]) {
    this.horns = servos.map(({ horn = 2048 }) => horn);
    this.servos = servos.map((options, i) => new DynamixelServo({ ...options, baudRate }, () => this.horns[i]!));
    this.wire = new BusWire(this.servos, baudRate);
  }

  /** Lets time go by; the horns go where they are driven, at once. */
  rest(seconds: number): void {
    for (let left = Math.round(seconds / stepS); left > 0; left--) {
      this.nowUs += stepS * 1e6;
      for (const [i, servo] of this.servos.entries()) {
        const target = servo.step(stepS);
        if (!Number.isNaN(target)) this.horns[i] = Math.round(target);
      }
    }
  }

  /** What comes back for bytes, and when each of its bytes does. */
  send(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly timesUs: readonly number[] } {
    this.wire.send(bytes, this.nowUs);
    while (this.wire.nextHeardUs < Number.POSITIVE_INFINITY) this.wire.hearNext();
    const back: number[] = [];
    const timesUs: number[] = [];
    while (this.wire.nextToHostUs < Number.POSITIVE_INFINITY) {
      const at = this.wire.nextToHostUs;
      for (const byte of this.wire.take(at)) {
        back.push(byte);
        timesUs.push(at - this.nowUs);
      }
    }
    this.nowUs += Math.max(10_000, ...timesUs);
    return { bytes: Uint8Array.from(back), timesUs };
  }

  ask(id: number, instruction: number, parameters: ArrayLike<number> = []): Packet[] {
    const packets: Packet[] = [];
    const reader = new PacketReader(packet =>
      packets.push({ ...packet, parameters: Uint8Array.from(packet.parameters) }),
    );
    reader.push(this.send(encodePacket(id, instruction, parameters)).bytes);
    return packets;
  }

  /** @returns the error of the answer; undefined where none came */
  write(id: number, address: number, data: ArrayLike<number>): number | undefined {
    return this.ask(id, instructions.write, [...littleEndian(address, 2), ...Array.from(data)])[0]?.parameters[0];
  }

  set(id: number, name: RegisterName, value: number): number | undefined {
    const { address, bytes } = registers[name];
    return this.write(id, address, littleEndian(value, bytes));
  }

  /** @returns error and data */
  read(id: number, address: number, length: number): number[] {
    const [answer] = this.ask(id, instructions.read, [...littleEndian(address, 2), ...littleEndian(length, 2)]);
    return [...(answer?.parameters ?? [])];
  }
}
