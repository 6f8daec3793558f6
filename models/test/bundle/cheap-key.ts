/** Keys for tests: with the least that scrypt may cost, so that hundreds are opened in a second. */
import { publicKeyLine } from '../../src/bundle/minisign-public-key.js';
import { generateSecretKey, type ScryptLimits, type SecretKey } from '../../src/bundle/minisign-secret-key.js';

export const cheapLimits: ScryptLimits = { operations: 32_768, memoryBytes: 2 ** 20 };

/** Where nobody may be asked. */
export const noPassword = async (): Promise<string> => {
  throw new Error('nobody should have been asked for a password');
};

export interface TestKey extends SecretKey {
  readonly id: string;
  /** What stands in `trustedKeys`. */
  readonly line: string;
}

/** @param id of another key, for an impostor */
export function testKey(id?: string): TestKey {
  const { seed, publicKey } = generateSecretKey();
  const key = { ...publicKey, ...(id !== undefined && { id }) };
  return { seed, publicKey: key, id: key.id, line: publicKeyLine(key) };
}
