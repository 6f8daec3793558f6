/**
 * The bytes of a servo and who may touch them: read-only registers, the EEPROM that torque locks, ranges, whole registers only, and the
 * indirect slots through which others are reached. What a value does is the servo's business.
 */

import { littleEndian, numberAt } from '@sim2servo/firmware-bridge/dynamixel/packet';
import {
  controlTable,
  type DynamixelModel,
  errors,
  type Register,
  ramFrom,
} from '@sim2servo/firmware-bridge/dynamixel/registers';

type Named = readonly [name: string, register: Register];

const slot = (address: number, bytes: 1 | 2, initial: number, min: number, max: number): Register => {
  return { address, bytes, writable: true, signed: false, initial, min, max };
};

/** One register for each slot's address, one for each byte of data that is not redirected. */
function indirectRegisters({ indirect: { address, data, slots } }: DynamixelModel): Record<string, Register> {
  const registers: Record<string, Register> = {};
  for (let i = 0; i < slots; i++) {
    registers[`indirectAddress${i + 1}`] = slot(address + 2 * i, 2, data + i, ramFrom, data + slots - 1);
    registers[`indirectData${i + 1}`] = slot(data + i, 1, 0, 0, 255);
  }
  return registers;
}

export class ControlTable {
  readonly registers: Readonly<Record<string, Register>>;
  readonly #indirect: DynamixelModel['indirect'];
  readonly #bytes: Uint8Array;
  /** Register of each address. */
  readonly #at: (Named | undefined)[];

  constructor(model: DynamixelModel) {
    this.#indirect = model.indirect;
    this.registers = { ...controlTable(model), ...indirectRegisters(model) };
    const size = model.indirect.data + model.indirect.slots;
    this.#bytes = new Uint8Array(size);
    this.#at = Array.from({ length: size }, () => undefined);
    for (const named of Object.entries(this.registers))
      this.#at.fill(named, named[1].address, named[1].address + named[1].bytes);
    this.reset(0);
  }

  /** Registers from `address` on as when new. */
  reset(address: number): void {
    for (const [name, register] of Object.entries(this.registers))
      if (register.address >= address) this.set(name, register.initial);
  }

  get(name: string): number {
    const { address, bytes, signed } = this.#register(name);
    return numberAt(this.#bytes, address, bytes, signed);
  }

  /** As the servo itself writes: nothing is refused. */
  set(name: string, value: number): void {
    const { address, bytes } = this.#register(name);
    this.#bytes.set(littleEndian(Math.round(value), bytes), address);
  }

  #register(name: string): Register {
    const register = this.registers[name];
    if (register === undefined) throw new RangeError(`no register is called '${name}'`);
    return register;
  }

  /** As they lie there. */
  bytes(address: number, length: number): Uint8Array {
    return this.#bytes.subarray(address, address + length);
  }

  /** Where an address leads: through an indirect slot, or nowhere else. */
  #resolve(address: number): number {
    const { address: slots, data, slots: count } = this.#indirect;
    const index = address - data;
    return index < 0 || index >= count ? address : numberAt(this.#bytes, slots + 2 * index, 2);
  }

  /** @returns the bytes, or an error. Gaps between registers read as zeros. */
  read(address: number, length: number): Uint8Array | number {
    if (length === 0 || address + length > this.#bytes.length || this.#at[address] === undefined) return errors.access;
    return Uint8Array.from({ length }, (_, i) => this.#bytes[this.#resolve(address + i)]!);
  }

  /**
   * All of it, or nothing.
   *
   * @param isLocked whether the EEPROM is
   * @param refuse   the servo's own say about a value: an error, 0 for none
   * @returns the registers that were written, or an error
   */
  write(
    address: number,
    data: Uint8Array,
    isLocked: boolean,
    refuse: (name: string, value: number) => number,
  ): readonly string[] | number {
    if (data.length === 0 || address + data.length > this.#bytes.length) return errors.access;
    const next = Uint8Array.from(this.#bytes);
    const touched = new Map<Named, number>();
    for (const [i, byte] of data.entries()) {
      const to = this.#resolve(address + i);
      const named = this.#at[to];
      if (named === undefined || !named[1].writable || (to < ramFrom && isLocked)) return errors.access;
      touched.set(named, (touched.get(named) ?? 0) + 1);
      next[to] = byte;
    }
    for (const [[, { bytes }], written] of touched) if (written < bytes) return errors.length;
    for (const [[name, register]] of touched) {
      const value = numberAt(next, register.address, register.bytes, register.signed);
      if (value < register.min || value > register.max) return errors.range;
      const refusal = refuse(name, value);
      if (refusal !== 0) return refusal;
    }
    this.#bytes.set(next);
    return [...touched.keys()].map(([name]) => name);
  }
}
