/** Writes a program to an Uno or Nano through the bootloader that it comes with, reads it back, and starts it. */
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import type { ByteStream } from './byte-stream.js';
import { Stk500 } from './stk500.js';

/** Baud rate of Optiboot; a Nano's older bootloader has 57 600. */
export const bootloaderBaudRate = 115_200;
/** Of an ATmega328P. */
export const flashBytes = 32_768;
/** The larger of the two bootloaders sits in the last 2 KiB; the older one does not protect itself. */
export const programBytes = flashBytes - 2048;
export const pageBytes = 128;

/** ATmega328P, and the ATmega328 that differs in its power-saving modes only. */
const signatures = ['1e950f', '1e9514'];

export interface FlashOptions {
  /** Opens the port and pulls the reset line, so that the bootloader runs. */
  readonly open: () => Promise<ByteStream>;
  /** Program memory from address 0 on, unprogrammed cells FFh: what `parseIntelHex` gives. */
  readonly memory: Uint8Array;
  readonly clock: Clock;
  readonly onProgress?: (stage: 'write' | 'verify', doneBytes: number, totalBytes: number) => void;
}

/**
 * Pages behind the program's end stay as they are.
 *
 * @returns how many bytes were written and verified, whole pages
 * @throws KitError E_IMAGE_EMPTY, E_IMAGE_SIZE, E_NO_BOOTLOADER, E_WRONG_PART, E_FLASH_REFUSED, E_FLASH_VERIFY, E_PORT_*
 */
export async function flashBoard({ open, memory, clock, onProgress }: FlashOptions): Promise<number> {
  const total = usedPages(memory) * pageBytes;
  const stream = await open();
  try {
    const bootloader = new Stk500(stream, clock);
    await bootloader.synchronise();
    await checkPart(bootloader);
    await bootloader.enterProgramming();
    for (let at = 0; at < total; at += pageBytes) {
      await bootloader.writePage(at, pageAt(memory, at));
      onProgress?.('write', at + pageBytes, total);
    }
    for (let at = 0; at < total; at += pageBytes) {
      comparePage(at, await bootloader.readPage(at, pageBytes), pageAt(memory, at));
      onProgress?.('verify', at + pageBytes, total);
    }
    await bootloader.leaveProgramming();
  } finally {
    await stream.close();
  }
  return total;
}

function usedPages(memory: Uint8Array): number {
  const end = memory.findLastIndex(byte => byte !== 0xff) + 1;
  if (end === 0)
    throw new KitError(
      'E_IMAGE_EMPTY',
      'the firmware image is empty',
      'use the image that ships with the kit',
      'usage',
    );
  if (end > programBytes)
    throw new KitError(
      'E_IMAGE_SIZE',
      `the firmware image reaches to byte ${end}, the part has ${programBytes} below its bootloader`,
      'use an image for the ATmega328P',
      'usage',
    );
  return Math.ceil(end / pageBytes);
}

function pageAt(memory: Uint8Array, at: number): Uint8Array {
  const page = new Uint8Array(pageBytes).fill(0xff);
  page.set(memory.subarray(at, at + pageBytes));
  return page;
}

async function checkPart(bootloader: Stk500): Promise<void> {
  const signature = Buffer.from(await bootloader.readSignature()).toString('hex');
  if (!signatures.includes(signature))
    throw new KitError(
      'E_WRONG_PART',
      `the board has a part with signature ${signature}, the image is for an ATmega328P (${signatures[0]})`,
      'use an Arduino Uno or Nano',
      'noDevice',
    );
}

function comparePage(at: number, read: Uint8Array, expected: Uint8Array): void {
  const differs = expected.findIndex((byte, i) => read[i] !== byte);
  if (differs >= 0)
    throw new KitError(
      'E_FLASH_VERIFY',
      `byte 0x${(at + differs).toString(16)} reads ${read[differs]} after ${expected[differs]} was written`,
      'flash again; if it stays so the part is worn out',
      'failed',
    );
}
