/**
 * Verification of minisign signatures with Node's own crypto (https://jedisct1.github.io/minisign/): Ed25519 over BLAKE2b-512 of the
 * file (`ED`), and a second one over the first and the trusted comment, so that the comment can't be swapped.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { KitError } from '../error.js';

const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

interface PublicKey {
  readonly id: string;
  readonly bytes: Buffer;
}

function parsePublicKey(text: string): PublicKey {
  const line = text.trim().split('\n').at(-1)!;
  const raw = Buffer.from(line, 'base64');
  if (raw.length !== 42 || raw.toString('latin1', 0, 2) !== 'Ed')
    throw new KitError(
      'E_KEY_FORMAT',
      `'${line}' is not a minisign public key`,
      'copy the second line of the .pub file',
      'usage',
    );
  return { id: raw.toString('hex', 2, 10), bytes: raw.subarray(10) };
}

function ed25519(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  const spki = createPublicKey({ key: Buffer.concat([spkiPrefix, key.bytes]), format: 'der', type: 'spki' });
  return verify(null, message, spki, signature);
}

/**
 * @param message     the signed bytes
 * @param signature   the text of the `.minisig` file
 * @param trustedKeys minisign public keys
 * @throws KitError   E_SIGNATURE_FORMAT, E_SIGNATURE_KEY (nobody trusted made it), E_SIGNATURE_WRONG
 */
export function verifyMinisign(message: Uint8Array, signature: string, trustedKeys: readonly string[]): void {
  const [, signatureLine = '', comment = '', globalLine = ''] = signature.split('\n');
  const raw = Buffer.from(signatureLine, 'base64');
  const prefix = 'trusted comment: ';
  if (raw.length !== 74 || raw.toString('latin1', 0, 2) !== 'ED' || !comment.startsWith(prefix))
    throw new KitError(
      'E_SIGNATURE_FORMAT',
      'the signature is not a prehashed minisign signature',
      'sign the bundle again',
    );
  const id = raw.toString('hex', 2, 10);
  const key = trustedKeys.map(parsePublicKey).find(candidate => candidate.id === id);
  if (key === undefined)
    throw new KitError(
      'E_SIGNATURE_KEY',
      `the bundle is signed with key ${id}, which this site does not trust`,
      'add the key to trustedKeys in site.json if you know whose it is',
    );
  const signed = raw.subarray(10);
  const prehash = createHash('blake2b512').update(message).digest();
  const global = Buffer.concat([signed, Buffer.from(comment.slice(prefix.length))]);
  if (!ed25519(key, prehash, signed) || !ed25519(key, global, Buffer.from(globalLine, 'base64')))
    throw new KitError(
      'E_SIGNATURE_WRONG',
      `the signature of key ${id} does not fit the bundle's policy.json`,
      'get the bundle again from where it was made',
    );
}
