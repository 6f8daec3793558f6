/** Signing as minisign does: over the BLAKE2b-512 of the message (`ED`), and once more over that signature and the trusted comment. */
import { createHash, sign } from 'node:crypto';
import { KitError } from '../error.js';
import { unprintable } from '../printable.js';
import { prehashedName, trustedPrefix } from './minisign.js';
import { bytesOfId, untrustedComment } from './minisign-public-key.js';
import { privateKeyOf, type SecretKey } from './minisign-secret-key.js';

/**
 * @param comment what is signed beside the message, one line
 * @returns the text of a `.minisig` file
 * @throws  KitError E_SIGNATURE_FORMAT where the comment is not one printable line
 */
export function signMinisign(message: Uint8Array, { publicKey, seed }: SecretKey, comment: string): string {
  if (unprintable.test(comment))
    throw new KitError(
      'E_SIGNATURE_FORMAT',
      `the comment ${JSON.stringify(comment)} is not one printable line`,
      'this is a mistake in the kit: please report it',
      'bug',
    );
  const key = privateKeyOf(seed);
  const signed = sign(null, createHash('blake2b512').update(message).digest(), key);
  const global = sign(null, Buffer.concat([signed, Buffer.from(comment)]), key);
  return [
    `${untrustedComment}signature from minisign secret key ${publicKey.id}`,
    Buffer.concat([prehashedName, bytesOfId(publicKey.id), signed]).toString('base64'),
    `${trustedPrefix}${comment}`,
    global.toString('base64'),
    '',
  ].join('\n');
}
