/** The firmware image that ships with the kit: what `kit device flash` writes to a board, and what the rigs run. */
import { fileURLToPath } from 'node:url';

export const firmwareImage = fileURLToPath(new URL('../../firmware/kitlink-atmega328p.hex', import.meta.url));
