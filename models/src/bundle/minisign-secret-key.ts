/**
 * Secret keys in minisign's own files: `Ed`, the way of encryption (`Sc`, or zeros for none), `B2`, salt, two limits, and then key id, seed,
 * public key and checksum, under a stream of scrypt. The limits are libsodium's, and N, r and p follow from them.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  scrypt,
} from 'node:crypto';
import { KitError, messageOf } from '../error.js';
import { blake2b } from './blake2b.js';
import {
  base64Bytes,
  bytesOfId,
  ed25519Name,
  idOfBytes,
  linesOf,
  type PublicKey,
  untrustedComment,
} from './minisign-public-key.js';

export interface SecretKey {
  readonly publicKey: PublicKey;
  /** 32 bytes that all else follows from. */
  readonly seed: Uint8Array;
}

/** What it costs to try a password. */
export interface ScryptLimits {
  readonly operations: number;
  readonly memoryBytes: number;
}

/** libsodium's `SENSITIVE`, which minisign takes: 1 GiB and some seconds. No file may ask for more. */
export const sensitiveLimits: ScryptLimits = { operations: 2 ** 25, memoryBytes: 2 ** 30 };

const scryptName = Buffer.from('Sc');
const plainName = Buffer.alloc(2);
const checksumName = Buffer.from('B2');
/** Key id, seed and public key, checksum. */
const secretBytes = 8 + 64 + 32;
const fileBytes = 2 + 2 + 2 + 32 + 8 + 8 + secretBytes;

const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The key for Node's own crypto. */
export function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
}

function publicBytesOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
}

/** A new key with a random id. */
export function generateSecretKey(): SecretKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  return { publicKey: { id: idOfBytes(randomBytes(8)), bytes: publicBytesOf(privateKey) }, seed };
}

/** What libsodium's crypto_pwhash_scryptsalsa208sha256 makes of its limits (`pickparams`). */
export function scryptParameters({ operations, memoryBytes }: ScryptLimits): { N: number; r: number; p: number } {
  const r = 8;
  const enough = Math.max(operations, 32768);
  const byMemory = enough >= memoryBytes / 32;
  const most = byMemory ? memoryBytes / (r * 128) : enough / (r * 4);
  // The least power of two, from 2 on, that is more than half of the most.
  let N = 2;
  while (N <= most / 2) N *= 2;
  return { N, r, p: byMemory ? Math.max(1, Math.floor(Math.floor(enough / 4 / N) / r)) : 1 };
}

/** @throws KitError E_KEY_MEMORY */
async function keyStream(password: string, salt: Uint8Array, limits: ScryptLimits): Promise<Buffer> {
  const parameters = scryptParameters(limits);
  const { N, r, p } = parameters;
  const maxmem = 128 * r * (N + p) + 2 ** 20;
  try {
    return await new Promise((resolve, reject) =>
      scrypt(password, salt, secretBytes, { ...parameters, maxmem }, (error, bytes) =>
        error === null ? resolve(bytes) : reject(error),
      ),
    );
  } catch (error) {
    throw new KitError(
      'E_KEY_MEMORY',
      `the password of the key needs ${Math.ceil(maxmem / 2 ** 20)} MiB of memory for a moment: ${messageOf(error)}`,
      'close other programs, or use the key on a larger machine',
      'failed',
      { cause: error },
    );
  }
}

function masked(bytes: Uint8Array, stream: Uint8Array): Buffer {
  return Buffer.from(bytes.map((byte, i) => byte ^ stream[i]!));
}

const checksumOf = (idAndKey: Uint8Array): Buffer => blake2b(Buffer.concat([ed25519Name, idAndKey]), 32);

/**
 * The text of a secret-key file.
 *
 * @param password undefined: not encrypted, as minisign's `-W` does
 */
export async function secretKeyFile(
  { publicKey, seed }: SecretKey,
  password: string | undefined,
  limits: ScryptLimits = sensitiveLimits,
): Promise<string> {
  const idAndKey = Buffer.concat([bytesOfId(publicKey.id), seed, publicKey.bytes]);
  const secret = Buffer.concat([idAndKey, checksumOf(idAndKey)]);
  const head = Buffer.alloc(fileBytes - secretBytes);
  ed25519Name.copy(head, 0);
  checksumName.copy(head, 4);
  let body: Uint8Array = secret;
  if (password !== undefined) {
    const salt = randomBytes(32);
    scryptName.copy(head, 2);
    salt.copy(head, 6);
    head.writeBigUInt64LE(BigInt(limits.operations), 38);
    head.writeBigUInt64LE(BigInt(limits.memoryBytes), 46);
    body = masked(secret, await keyStream(password, salt, limits));
  }
  // minisign itself says `encrypted` of a key that is not.
  const comment = password === undefined ? 'minisign secret key, not encrypted' : 'minisign encrypted secret key';
  return `${untrustedComment}${comment}\n${Buffer.concat([head, body]).toString('base64')}\n`;
}

function damaged(why: string): KitError {
  return new KitError('E_KEY_FORMAT', `the secret key is damaged: ${why}`, 'restore the key file from a copy', 'usage');
}

function rawSecretKey(text: string): Buffer {
  const lines = linesOf(text);
  const raw = base64Bytes(lines[1] ?? '', fileBytes);
  if (raw === undefined || lines.length !== 2 || !lines[0]!.startsWith(untrustedComment))
    throw new KitError(
      'E_KEY_FORMAT',
      'the file is not a minisign secret key: it must be a comment and one line of base64',
      'name the .key file that `kit keys new` or `minisign -G` wrote',
      'usage',
    );
  if (!raw.subarray(0, 2).equals(ed25519Name) || !raw.subarray(4, 6).equals(checksumName))
    throw damaged('it is of no known algorithm');
  const way = raw.subarray(2, 4);
  if (!way.equals(scryptName) && !way.equals(plainName)) throw damaged('it is encrypted in no known way');
  return raw;
}

/** Whether its password must be known. @throws KitError E_KEY_FORMAT */
export function isEncrypted(text: string): boolean {
  return rawSecretKey(text).subarray(2, 4).equals(scryptName);
}

/**
 * @param text     of the file
 * @param password asked for only where the key is encrypted
 * @throws KitError E_KEY_FORMAT, E_KEY_PASSWORD, E_KEY_MEMORY
 */
export async function openSecretKey(text: string, password: () => Promise<string>): Promise<SecretKey> {
  const raw = rawSecretKey(text);
  const encrypted = isEncrypted(text);
  let secret: Buffer = raw.subarray(fileBytes - secretBytes);
  if (encrypted) {
    const [operations, memoryBytes] = [38, 46].map(at => Number(raw.readBigUInt64LE(at))) as [number, number];
    if (operations > sensitiveLimits.operations || memoryBytes > sensitiveLimits.memoryBytes)
      throw damaged(`it asks for ${operations} operations over ${memoryBytes} bytes, more than minisign ever does`);
    secret = masked(secret, await keyStream(await password(), raw.subarray(6, 38), { operations, memoryBytes }));
  }
  const idAndKey = secret.subarray(0, 72);
  const checksum = secret.subarray(72);
  // minisign itself leaves the checksum of a key that is not encrypted at zeros.
  const unsummed = !encrypted && checksum.every(byte => byte === 0);
  if (!unsummed && !checksumOf(idAndKey).equals(checksum)) {
    if (!encrypted) throw damaged('its checksum does not fit');
    throw new KitError('E_KEY_PASSWORD', 'this is not the password of the key', 'try again', 'usage');
  }
  const seed = idAndKey.subarray(8, 40);
  const bytes = idAndKey.subarray(40);
  // Signing with a public key that is not the seed's would give the seed away.
  if (!publicBytesOf(privateKeyOf(seed)).equals(bytes)) throw damaged('its two halves do not belong together');
  return { publicKey: { id: idOfBytes(idAndKey.subarray(0, 8)), bytes }, seed };
}
