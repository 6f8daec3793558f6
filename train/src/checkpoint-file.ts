/**
 * One file for a whole checkpoint: a tree of plain values and typed arrays.
 *
 * Layout: `S2SCKPT1`, u32 header length, JSON header, zeros up to a multiple of 8, the arrays one after the other (each on a multiple of 8),
 * SHA-256 of everything before it. In the header an array stands as `{"$array": index}`, and a number that JSON has no word for as
 * `{"$number": "NaN"}`. Arrays are little-endian, as on every machine Node runs on.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { writeDurably } from '@sim2servo/models/durable-file';
import { KitError, messageOf } from '@sim2servo/models/error';

type Numbers = Float32Array | Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

const arrayTypes = { Float32Array, Float64Array, Int32Array, Uint32Array, Uint16Array, Uint8Array } as const;
type ArrayTypeName = keyof typeof arrayTypes;

interface ArrayEntry {
  readonly type: ArrayTypeName;
  readonly offset: number;
  readonly length: number;
}

const magic = Buffer.from('S2SCKPT1', 'latin1');
const digestBytes = 32;
const roundUp = (bytes: number) => Math.ceil(bytes / 8) * 8;

/** @param value objects, arrays, strings, numbers, booleans, null and typed arrays, nested at will; `undefined` fields are left out */
export function encodeCheckpoint(value: unknown): Buffer {
  const arrays: Numbers[] = [];
  const entries: ArrayEntry[] = [];
  let offset = 0;
  const plain = (node: unknown, path: string): unknown => {
    if (ArrayBuffer.isView(node)) {
      const type = node.constructor.name as ArrayTypeName;
      if (!(type in arrayTypes)) throw unstorable(path, type);
      const array = node as Numbers;
      entries.push({ type, offset, length: array.length });
      arrays.push(array);
      offset += roundUp(array.byteLength);
      return { $array: entries.length - 1 };
    }
    if (typeof node === 'number')
      return Number.isFinite(node) && !Object.is(node, -0)
        ? node
        : { $number: Object.is(node, -0) ? '-0' : String(node) };
    if (Array.isArray(node)) return node.map((item, i) => plain(item, `${path}[${i}]`));
    if (node !== null && typeof node === 'object') {
      const prototype: unknown = Object.getPrototypeOf(node);
      if (prototype !== Object.prototype && prototype !== null) throw unstorable(path, node.constructor.name);
      return Object.fromEntries(
        Object.entries(node)
          .filter(([, item]) => item !== undefined)
          .map(([key, item]) => [key, plain(item, `${path}.${key}`)]),
      );
    }
    if (typeof node === 'function' || typeof node === 'bigint' || typeof node === 'symbol')
      throw unstorable(path, typeof node);
    return node;
  };
  const tree = plain(value, 'checkpoint');
  const header = Buffer.from(JSON.stringify({ tree, arrays: entries }), 'utf8');
  const start = roundUp(magic.length + 4 + header.length);
  const bytes = Buffer.alloc(start + offset + digestBytes);
  magic.copy(bytes);
  bytes.writeUInt32LE(header.length, magic.length);
  header.copy(bytes, magic.length + 4);
  for (const [i, array] of arrays.entries())
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), start + entries[i]!.offset);
  digestOf(bytes).copy(bytes, bytes.length - digestBytes);
  return bytes;
}

/** The tree as it was encoded; typed arrays are copies. The caller knows its shape. */
export function decodeCheckpoint(bytes: Uint8Array, source = 'The checkpoint'): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const smallest = magic.length + 4 + digestBytes;
  if (buffer.length < smallest || !buffer.subarray(0, magic.length).equals(magic))
    throw broken(
      source,
      `is no checkpoint (${buffer.length} bytes that do not start with ${magic.toString('latin1')})`,
    );
  if (!digestOf(buffer).equals(buffer.subarray(buffer.length - digestBytes)))
    throw broken(source, 'is damaged: its digest does not match its contents');
  const headerLength = buffer.readUInt32LE(magic.length);
  const start = roundUp(magic.length + 4 + headerLength);
  const header = JSON.parse(buffer.toString('utf8', magic.length + 4, magic.length + 4 + headerLength)) as {
    tree: unknown;
    arrays: ArrayEntry[];
  };
  const arrays = header.arrays.map(({ type, offset, length }) => {
    const array = new arrayTypes[type](length);
    new Uint8Array(array.buffer).set(buffer.subarray(start + offset, start + offset + array.byteLength));
    return array;
  });
  const rebuild = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(rebuild);
    if (node === null || typeof node !== 'object') return node;
    if ('$array' in node) return arrays[node.$array as number];
    if ('$number' in node) return Number(node.$number);
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, rebuild(item)]));
  };
  return rebuild(header.tree);
}

/** Old or new after a crash at any instant, and whole. */
export function writeCheckpoint(path: string, value: unknown): void {
  const bytes = encodeCheckpoint(value);
  try {
    writeDurably(path, bytes);
  } catch (error) {
    throw new KitError(
      'E_CHECKPOINT_WRITE',
      `Cannot write ${path} (${bytes.length} bytes): ${messageOf(error)}`,
      'Check the folder and the space left on the disk. The checkpoint that stood there before is untouched.',
      'failed',
      { cause: error },
    );
  }
}

export function readCheckpoint(path: string): unknown {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new KitError(
      'E_CHECKPOINT_MISSING',
      `Cannot read ${path}: ${messageOf(error)}`,
      'Give a run folder that kit train has written.',
      'usage',
      {
        cause: error,
      },
    );
  }
  return decodeCheckpoint(bytes, path);
}

function digestOf(bytes: Buffer): Buffer {
  if (endianness() !== 'LE')
    throw new KitError('E_ENDIAN', 'Checkpoints need a little-endian machine.', 'Train on another machine.');
  return createHash('sha256')
    .update(bytes.subarray(0, bytes.length - digestBytes))
    .digest();
}

function broken(source: string, what: string): KitError {
  return new KitError(
    'E_CHECKPOINT_DAMAGED',
    `${source} ${what}.`,
    'Use the other checkpoint of the run (best or latest), or train anew.',
  );
}

function unstorable(path: string, what: string): KitError {
  return new KitError(
    'E_CHECKPOINT_VALUE',
    `${path} is a ${what}, which a checkpoint cannot hold.`,
    'Report this: it is a bug.',
    'bug',
  );
}
