/**
 * The keys of a person: `~/.config/sim2servo/keys/NAME.key`, `.pub` in minisign's own formats, and `.sequence`, the last number that was signed
 * with it. `KIT_KEYS` names another folder.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type PublicKey, parsePublicKey, publicKeyFile } from '@sim2servo/models/bundle/minisign-public-key';
import { isEncrypted, type SecretKey, secretKeyFile } from '@sim2servo/models/bundle/minisign-secret-key';
import { sequenceAfter } from '@sim2servo/models/bundle/sequence';
import { writeDurably } from '@sim2servo/models/durable-file';
import { KitError, messageOf } from '@sim2servo/models/error';
import { realDisk } from '@sim2servo/runtime/releases/disk';
import { StoreLock } from '@sim2servo/runtime/releases/store-lock';

export function keysFolder(): string {
  return process.env.KIT_KEYS || join(homedir(), '.config', 'sim2servo', 'keys');
}

/** No key file is larger; a file that was named by mistake may be. */
const maxKeyBytes = 4096;

export const keyPath = (name: string, kind: 'key' | 'pub' | 'sequence'): string =>
  join(keysFolder(), `${name}.${kind}`);

export interface ListedKey {
  readonly name: string;
  readonly id: string;
  /** Undefined where only the public key is here: others' keys may lie beside one's own. */
  readonly secret?: 'encrypted' | 'not encrypted' | 'open to others';
  /** Of the newest signature; undefined where there is none. */
  readonly sequence?: number;
}

export function keyNames(): string[] {
  if (!existsSync(keysFolder())) return [];
  return readdirSync(keysFolder())
    .filter(file => file.endsWith('.pub'))
    .map(file => file.slice(0, -'.pub'.length))
    .sort();
}

export function listKeys(): ListedKey[] {
  return keyNames().map(name => {
    const secret = secretState(name);
    const sequence = lastSequence(name);
    return {
      name,
      id: readPublicKey(name).id,
      ...(secret !== undefined && { secret }),
      ...(sequence > 0 && { sequence }),
    };
  });
}

function secretState(name: string): ListedKey['secret'] {
  const path = keyPath(name, 'key');
  if (!existsSync(path)) return undefined;
  if (isExposed(path)) return 'open to others';
  return isEncrypted(readKeyFile(path)) ? 'encrypted' : 'not encrypted';
}

/** Windows knows no such modes. */
function isExposed(path: string): boolean {
  return process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
}

/** @throws KitError E_KEY_READ */
export function readKeyFile(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > maxKeyBytes) throw new Error(`it has ${size} bytes, more than any key`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new KitError('E_KEY_READ', `can't read the key ${path}: ${messageOf(error)}`, 'check the path', 'usage', {
      cause: error,
    });
  }
}

function unknownKey(name: string): KitError {
  const names = keyNames();
  return new KitError(
    'E_KEY_UNKNOWN',
    `there is no key '${name}' in ${keysFolder()}`,
    names.length === 0 ? `make one: kit keys new ${name}` : `take one of: ${names.join(', ')}`,
    'usage',
  );
}

/** @throws KitError E_KEY_UNKNOWN, E_KEY_READ, E_KEY_FORMAT */
export function readPublicKey(name: string): PublicKey {
  if (!existsSync(keyPath(name, 'pub'))) throw unknownKey(name);
  return parsePublicKey(readKeyFile(keyPath(name, 'pub')));
}

/**
 * The text of a secret key.
 *
 * @throws KitError E_KEY_UNKNOWN, E_KEY_READ, E_KEY_EXPOSED where others could have read it
 */
export function readSecretKeyFile(name: string): string {
  const path = keyPath(name, 'key');
  if (!existsSync(path)) throw unknownKey(name);
  if (isExposed(path))
    throw new KitError(
      'E_KEY_EXPOSED',
      `others may read or change the secret key ${path} (its mode is ${(statSync(path).mode & 0o777).toString(8)})`,
      `if nobody has: chmod 600 ${path}; else revoke it and make a new one`,
      'usage',
    );
  return readKeyFile(path);
}

/**
 * Puts a new key into the folder, for nobody else to read.
 *
 * @param password undefined: not encrypted
 * @throws KitError E_KEY_NAME, E_KEY_EXISTS
 */
export async function writeKey(name: string, key: SecretKey, password: string | undefined): Promise<void> {
  checkNewName(name);
  const text = await secretKeyFile(key, password);
  mkdirSync(keysFolder(), { recursive: true, mode: 0o700 });
  // The secret one last: it makes the key exist.
  writeDurably(keyPath(name, 'pub'), publicKeyFile(key.publicKey));
  writeDurably(keyPath(name, 'key'), text, 0o600);
}

/** @throws KitError E_KEY_NAME, E_KEY_EXISTS: a key is never replaced, what it has signed could not be signed again */
export function checkNewName(name: string): void {
  if (!/^[A-Za-z][\w-]{0,59}$/.test(name))
    throw new KitError(
      'E_KEY_NAME',
      `'${name}' is no name for a key`,
      'take letters, digits, - and _, a letter first',
      'usage',
    );
  for (const kind of ['key', 'sequence'] as const)
    if (existsSync(keyPath(name, kind)))
      throw new KitError(
        'E_KEY_EXISTS',
        `there is a key '${name}' already: ${keyPath(name, kind)}`,
        'take another name; a key that is no longer wanted is revoked where it was trusted',
        'usage',
      );
}

/** 0 where nothing was signed yet. @throws KitError E_KEY_SEQUENCE */
function lastSequence(name: string): number {
  const path = keyPath(name, 'sequence');
  if (!existsSync(path)) return 0;
  const text = readKeyFile(path);
  const sequence = Number(text);
  if (/^\d+\n$/.test(text) && Number.isSafeInteger(sequence)) return sequence;
  throw new KitError(
    'E_KEY_SEQUENCE',
    `${path} does not hold a number: ${JSON.stringify(text.slice(0, 40))}`,
    `write into it the highest sequence that the key has signed (\`kit inspect BUNDLE\` shows it); without the file the clock decides`,
  );
}

/**
 * The sequence of the next signature. It is on the disk before it is used: whoever dies in between has lost a number, and none comes twice, also
 * where several processes of one machine sign at once.
 *
 * @throws KitError E_KEY_SEQUENCE
 */
export function takeSequence(name: string, nowMs: number): number {
  const take = () => {
    const sequence = sequenceAfter(lastSequence(name), nowMs);
    writeDurably(keyPath(name, 'sequence'), `${sequence}\n`);
    return sequence;
  };
  const lock = { name: `${name}.lock`, who: `a signature with key '${name}'` };
  try {
    return StoreLock.whileChanging({ folder: keysFolder(), disk: realDisk }, take, lock);
  } catch (error) {
    if (!(error instanceof KitError) || !error.code.startsWith('E_DEPLOY_')) throw error;
    const hint = error.code === 'E_DEPLOY_BUSY' ? 'wait until it is done, then sign again' : error.hint;
    throw new KitError('E_KEY_SEQUENCE', error.message, hint, 'failed', { cause: error });
  }
}
