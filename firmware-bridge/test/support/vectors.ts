/** The vectors that the TypeScript codec and the C core are both tested with. */
import { readFileSync } from 'node:fs';
import type { instructions } from '../../src/dynamixel/packet.js';

export interface CobsVector {
  readonly name: string;
  readonly decoded: string;
  readonly encoded: string;
  readonly alsoDecodes?: string;
}

export interface FrameVector {
  readonly name: string;
  readonly wire: string;
  readonly frame: {
    readonly version: number;
    readonly type: number;
    readonly session: number;
    readonly sequence: number;
    readonly timeUs: number;
    readonly payload: string;
  };
  readonly kind?: string;
  readonly message?: Record<string, unknown>;
}

export interface FeetechVector {
  readonly name: string;
  readonly request: string;
  readonly id: number;
  readonly instruction: number;
  readonly parameters: string;
  readonly reply?: string;
  readonly value?: { readonly register: string; readonly is: number };
  readonly build?:
    | { readonly kind: 'ping'; readonly id: number }
    | { readonly kind: 'read'; readonly id: number; readonly address: number; readonly bytes: number }
    | { readonly kind: 'write'; readonly id: number; readonly address: number; readonly data: string }
    | { readonly kind: 'syncRead'; readonly ids: number[]; readonly address: number; readonly bytes: number }
    | {
        readonly kind: 'syncWrite';
        readonly ids: number[];
        readonly address: number;
        readonly bytes: number;
        readonly data: string;
      };
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../vectors/${name}`, import.meta.url), 'utf8'));
}

export const cobsVectors = read('cobs.json') as {
  readonly vectors: readonly CobsVector[];
  readonly bad: readonly { readonly name: string; readonly encoded: string }[];
};
export const crcVectors = read('crc32.json') as {
  readonly vectors: readonly { readonly bytes: string; readonly crc32: string }[];
};
export const frameVectors = read('frames.json') as { readonly vectors: readonly FrameVector[] };

export const feetechVectors = read('feetech.json') as {
  readonly vectors: readonly FeetechVector[];
  readonly bad: readonly { readonly name: string; readonly bytes: string }[];
  readonly fields: readonly { readonly register: string; readonly bytes: string; readonly is: number }[];
};

export const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export interface DynamixelVector {
  readonly name: string;
  readonly wire: string;
  readonly printedWire?: string;
  readonly id: number;
  readonly instruction: keyof typeof instructions;
  readonly parameters: string;
}
export const dynamixelVectors = read('dynamixel.json') as {
  readonly crc: readonly { readonly bytes: string; readonly crc16: string }[];
  readonly vectors: readonly DynamixelVector[];
};
