/** Public keys as the `minisign` program writes them (https://jedisct1.github.io/minisign/), and what all its files are made of. */
import { KitError } from '../error.js';

export interface PublicKey {
  /** Sixteen hexadecimal digits, as minisign prints it: the eight bytes in the file are a number with its lowest byte first. */
  readonly id: string;
  /** Ed25519, 32 bytes. */
  readonly bytes: Uint8Array;
}

/** Of every key and of signatures over a whole message; `ED` is that over its BLAKE2b-512. */
export const ed25519Name = Buffer.from('Ed');
export const untrustedComment = 'untrusted comment: ';

/** One line that is a key: 42 bytes that begin with `Ed`. */
export const publicKeyPattern = /^RW[Q-T][A-Za-z0-9+/]{53}$/;

export const idOfBytes = (bytes: Uint8Array): string => Buffer.from(bytes).reverse().toString('hex').toUpperCase();
export const bytesOfId = (id: string): Buffer => Buffer.from(id, 'hex').reverse();

/** Bytes of a line; undefined where it is not exactly the base64 of so many: Node's own reader skips over what it does not know. */
export function base64Bytes(line: string, length: number): Buffer | undefined {
  const bytes = Buffer.from(line, 'base64');
  return bytes.length === length && bytes.toString('base64') === line ? bytes : undefined;
}

/** Of a file in text; the last one may end in a newline or not. */
export function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

/**
 * @param text a whole `.pub` file, or the line of it that is the key
 * @throws KitError E_KEY_FORMAT
 */
export function parsePublicKey(text: string): PublicKey {
  const lines = text.trim().split(/\r?\n/);
  const line = lines.at(-1)!;
  const raw = base64Bytes(line, 42);
  const commented = lines.length === 1 || (lines.length === 2 && lines[0]!.startsWith(untrustedComment));
  if (raw === undefined || !commented || !raw.subarray(0, 2).equals(ed25519Name))
    throw new KitError(
      'E_KEY_FORMAT',
      // Shortened: what was named by mistake may be a secret key.
      `'${line.length > 16 ? `${line.slice(0, 16)}…` : line}' is not a minisign public key`,
      'give the .pub file, or its second line',
      'usage',
    );
  return { id: idOfBytes(raw.subarray(2, 10)), bytes: raw.subarray(10) };
}

/** The one line that stands in `trustedKeys` of site.json. */
export function publicKeyLine({ id, bytes }: PublicKey): string {
  return Buffer.concat([ed25519Name, bytesOfId(id), bytes]).toString('base64');
}

/** The text of a `.pub` file. */
export function publicKeyFile(key: PublicKey): string {
  return `${untrustedComment}minisign public key ${key.id}\n${publicKeyLine(key)}\n`;
}
