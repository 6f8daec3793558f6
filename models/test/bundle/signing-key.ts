/** Throw-away minisign keys, made and used with Node's own crypto: what the `minisign` program does, for tests. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface SigningKey {
  /** The second line of a `.pub` file. */
  readonly publicKey: string;
  readonly id: Buffer;
  readonly secret: KeyObject;
}

export function signingKey(id: Buffer = randomBytes(8)): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return { publicKey: Buffer.concat([Buffer.from('Ed'), id, raw]).toString('base64'), id, secret: privateKey };
}

/** The text of a `.minisig` file. `algorithm` ED is the prehashed one. */
export function minisign(key: SigningKey, message: Uint8Array, comment = 'timestamp:0', algorithm = 'ED'): string {
  const hashed = algorithm === 'ED' ? createHash('blake2b512').update(message).digest() : message;
  const signature = sign(null, hashed, key.secret);
  const global = sign(null, Buffer.concat([signature, Buffer.from(comment)]), key.secret);
  return [
    'untrusted comment: signature of a test',
    Buffer.concat([Buffer.from(algorithm), key.id, signature]).toString('base64'),
    `trusted comment: ${comment}`,
    global.toString('base64'),
    '',
  ].join('\n');
}
