/**
 * Verification of minisign signatures with Node's own crypto (https://jedisct1.github.io/minisign/): Ed25519 over BLAKE2b-512 of the
 * file (`ED`), and a second one over the first and the trusted comment, so that the comment can't be swapped. One form is accepted, to the byte.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { KitError } from '../error.js';
import { unprintable } from '../printable.js';
import {
  base64Bytes,
  ed25519Name,
  idOfBytes,
  linesOf,
  type PublicKey,
  parsePublicKey,
  untrustedComment,
} from './minisign-public-key.js';

export const trustedPrefix = 'trusted comment: ';
/** Of a signature over the BLAKE2b-512 of the message. */
export const prehashedName = Buffer.from('ED');

const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** What was found to be signed, and by whom. */
export interface VerifiedSignature {
  readonly keyId: string;
  readonly trustedComment: string;
}

/** What a signature file says of itself. Nothing of it is verified. */
export interface SignatureClaim extends VerifiedSignature {
  readonly signed: Uint8Array;
  readonly global: Uint8Array;
}

function formatError(why: string): KitError {
  return new KitError(
    'E_SIGNATURE_FORMAT',
    `the signature is not a minisign signature: ${why}`,
    'sign the bundle again with `kit keys sign`',
  );
}

/**
 * @param text of the `.minisig` file
 * @throws KitError E_SIGNATURE_FORMAT, E_SIGNATURE_LEGACY
 */
export function readSignature(text: string): SignatureClaim {
  const lines = linesOf(text);
  if (lines.length !== 4) throw formatError(`it has ${lines.length} lines, not four`);
  const [untrusted, signatureLine, comment, globalLine] = lines as [string, string, string, string];
  if (!untrusted.startsWith(untrustedComment)) throw formatError(`line 1 does not begin with '${untrustedComment}'`);
  const raw = base64Bytes(signatureLine, 74);
  if (raw === undefined) throw formatError('line 2 is not the base64 of 74 bytes');
  if (!comment.startsWith(trustedPrefix)) throw formatError(`line 3 does not begin with '${trustedPrefix}'`);
  if (unprintable.test(comment)) throw formatError('its trusted comment holds what cannot be printed');
  const global = base64Bytes(globalLine, 64);
  if (global === undefined) throw formatError('line 4 is not the base64 of 64 bytes');
  const keyId = idOfBytes(raw.subarray(2, 10));
  const algorithm = raw.subarray(0, 2);
  if (algorithm.equals(ed25519Name))
    throw new KitError(
      'E_SIGNATURE_LEGACY',
      `the signature of key ${keyId} is in minisign's legacy form, not over the prehashed file`,
      'sign the bundle again: `kit keys sign`, or `minisign -S` without -l',
    );
  if (!algorithm.equals(prehashedName)) throw formatError('it is of no known algorithm');
  return { keyId, signed: raw.subarray(10), trustedComment: comment.slice(trustedPrefix.length), global };
}

function ed25519(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  const spki = createPublicKey({ key: Buffer.concat([spkiPrefix, key.bytes]), format: 'der', type: 'spki' });
  return verify(null, message, spki, signature);
}

/**
 * @param message     the signed bytes
 * @param signature   the text of the `.minisig` file
 * @param trustedKeys minisign public keys
 * @param revokedKeys ids of keys whose signatures no longer count, trusted or not
 * @throws KitError   E_SIGNATURE_FORMAT, E_SIGNATURE_LEGACY, E_SIGNATURE_REVOKED, E_SIGNATURE_KEY (nobody trusted made it),
 *                    E_SIGNATURE_WRONG (another message), E_SIGNATURE_COMMENT (another trusted comment), E_KEY_FORMAT
 */
export function verifyMinisign(
  message: Uint8Array,
  signature: string,
  trustedKeys: readonly string[],
  revokedKeys: readonly string[] = [],
): VerifiedSignature {
  const { keyId, signed, trustedComment, global } = readSignature(signature);
  if (revokedKeys.includes(keyId))
    throw new KitError(
      'E_SIGNATURE_REVOKED',
      `the bundle is signed with key ${keyId}, which this site has revoked`,
      'sign it again with a key that is trusted: `kit keys sign BUNDLE --key NAME`',
    );
  const keys = trustedKeys.map(parsePublicKey).filter(key => key.id === keyId);
  if (keys.length === 0)
    throw new KitError(
      'E_SIGNATURE_KEY',
      `the bundle is signed with key ${keyId}, which this site does not trust`,
      'if you know whose it is: `kit keys trust KEY --robot FOLDER`; else sign the bundle with a key that is trusted',
    );
  const prehash = createHash('blake2b512').update(message).digest();
  const key = keys.find(candidate => ed25519(candidate, prehash, signed));
  if (key === undefined)
    throw new KitError(
      'E_SIGNATURE_WRONG',
      `the signature of key ${keyId} does not fit the bundle's policy.json`,
      'get the bundle again from where it was made',
    );
  if (!ed25519(key, Buffer.concat([signed, Buffer.from(trustedComment)]), global))
    throw new KitError(
      'E_SIGNATURE_COMMENT',
      `the trusted comment '${trustedComment}' is not the one that key ${keyId} has signed`,
      'get the signature again from where it was made',
    );
  return { keyId, trustedComment };
}
