/**
 * An executable's header, and the executable without what only a debugger reads.
 *
 * Node's official builds carry their symbol table, 15 to 20 MB. The program that strips a foreign platform's files is rarely installed, and
 * not needed: what the kernel and the loader map lies in segments at the front, all else behind it.
 *
 * @see elf(5)
 */
import { KitError } from '@sim2servo/models/error';

export interface ElfHeader {
  /** EM_X86_64 62, EM_ARM 40, EM_AARCH64 183. */
  readonly machine: number;
  /** Program that loads it: `/lib/ld-linux-aarch64.so.1`; absent for a library. */
  readonly interpreter?: string;
  /** Behind the last byte that any segment maps. */
  readonly mappedBytes: number;
}

const PT_INTERP = 3;

interface Layout {
  readonly wide: boolean;
  readonly programOffset: number;
  readonly programBytes: number;
  readonly programs: number;
}

function layoutOf(file: Buffer): Layout {
  const wide = file[4] === 2;
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || (!wide && file[4] !== 1) || file[5] !== 1)
    throw new KitError('E_NODE_FILE', 'this is no little-endian ELF file', 'name an executable for Linux', 'usage');
  return wide
    ? {
        wide,
        programOffset: Number(file.readBigUInt64LE(32)),
        programBytes: file.readUInt16LE(54),
        programs: file.readUInt16LE(56),
      }
    : {
        wide,
        programOffset: file.readUInt32LE(28),
        programBytes: file.readUInt16LE(42),
        programs: file.readUInt16LE(44),
      };
}

/** @throws KitError E_NODE_FILE */
export function elfHeader(file: Buffer): ElfHeader {
  const { wide, programOffset, programBytes, programs } = layoutOf(file);
  let mappedBytes = programOffset + programs * programBytes;
  let interpreter: string | undefined;
  for (let i = 0; i < programs; i++) {
    const at = programOffset + i * programBytes;
    const offset = wide ? Number(file.readBigUInt64LE(at + 8)) : file.readUInt32LE(at + 4);
    const bytes = wide ? Number(file.readBigUInt64LE(at + 32)) : file.readUInt32LE(at + 16);
    mappedBytes = Math.max(mappedBytes, offset + bytes);
    if (file.readUInt32LE(at) === PT_INTERP) interpreter = file.toString('latin1', offset, offset + bytes - 1);
  }
  return { machine: file.readUInt16LE(18), mappedBytes, ...(interpreter !== undefined && { interpreter }) };
}

/**
 * A copy without sections: symbols, debug information, and the table of sections itself, which nothing needs to run it.
 *
 * @throws KitError E_NODE_FILE
 */
export function stripElf(file: Buffer): Buffer {
  const { wide } = layoutOf(file);
  const stripped = Buffer.from(file.subarray(0, elfHeader(file).mappedBytes));
  // e_shoff, then e_shnum and e_shstrndx.
  if (wide) stripped.writeBigUInt64LE(0n, 40);
  else stripped.writeUInt32LE(0, 32);
  stripped.writeUInt32LE(0, wide ? 60 : 48);
  return stripped;
}
