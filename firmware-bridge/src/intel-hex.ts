/** Reads an Intel HEX file into program memory. Record types 0 (data) and 1 (end) are all that a part of 32 KiB needs. */
import { KitError } from '@sim2servo/models/error';

/**
 * @param text     the file
 * @param capacity program memory of the part, bytes
 * @returns        the memory, unprogrammed cells 0xFF
 * @throws KitError E_HEX with the line
 */
export function parseIntelHex(text: string, capacity: number): Uint8Array {
  const memory = new Uint8Array(capacity).fill(0xff);
  const refuse = (line: number, why: string): never => {
    throw new KitError(
      'E_HEX',
      `firmware image, line ${line}: ${why}`,
      'use the image that ships with the kit, or build it again',
      'usage',
    );
  };
  let ended = false;
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line === '' || ended) continue;
    if (!/^:([0-9A-Fa-f]{2}){5,}$/.test(line)) refuse(i + 1, `'${line.slice(0, 20)}' is no Intel HEX record`);
    const bytes = Buffer.from(line.slice(1), 'hex');
    if ((bytes.reduce((sum, byte) => sum + byte, 0) & 0xff) !== 0) refuse(i + 1, 'the checksum is wrong');
    const [length, high, low, type] = bytes as unknown as [number, number, number, number];
    if (bytes.length !== length + 5) refuse(i + 1, 'the length is wrong');
    if (type === 1) ended = true;
    else if (type === 0) {
      const address = (high << 8) | low;
      if (address + length > capacity)
        refuse(i + 1, `address 0x${address.toString(16)} lies beyond the part's ${capacity} bytes`);
      memory.set(bytes.subarray(4, 4 + length), address);
    } else refuse(i + 1, `record type ${type} is not used on this part`);
  }
  if (!ended) refuse(text.split('\n').length, 'the end record is missing: the file is cut off');
  return memory;
}
