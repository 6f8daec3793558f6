/** A minisign key, made at once, that signs runtimes. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { parsePublicKey } from '@sim2servo/models/bundle/minisign-public-key';

export interface RuntimeKey {
  /** As it stands in `trustedKeys`. */
  readonly line: string;
  /** As it stands in `revokedKeys`. */
  readonly id: string;
  readonly sign: (message: Buffer) => string;
}

export function runtimeKey(): RuntimeKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const id = randomBytes(8);
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const line = Buffer.concat([Buffer.from('Ed'), id, raw]).toString('base64');
  return {
    line,
    id: parsePublicKey(line).id,
    sign(message) {
      const made = sign(null, createHash('blake2b512').update(message).digest(), privateKey);
      const global = sign(null, Buffer.concat([made, Buffer.from('timestamp:1')]), privateKey);
      const signed = Buffer.concat([Buffer.from('ED'), id, made]).toString('base64');
      return `untrusted comment: test\n${signed}\ntrusted comment: timestamp:1\n${global.toString('base64')}\n`;
    },
  };
}
