/** A folder of keys for tests, in the place of the person's own; their passwords cost as little as they may. */
import { chmodSync, cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicKeyFile, publicKeyLine } from '@sim2servo/models/bundle/minisign-public-key';
import { generateSecretKey, type SecretKey, secretKeyFile } from '@sim2servo/models/bundle/minisign-secret-key';
import { loadRobot, shippedPolicies } from '@sim2servo/models/robot-folder';
import type { Test } from 'tap';
import { passwordVariable } from '../../src/keys/key-password.js';

/** `KIT_KEYS` is an empty folder until the test ends, and nothing answers for a person. */
export function useKeyFolder(t: Test): string {
  const folder = join(t.testdir({}), 'keys');
  const before = process.env.KIT_KEYS;
  const password = process.env[passwordVariable];
  process.env.KIT_KEYS = folder;
  delete process.env[passwordVariable];
  t.teardown(() => {
    if (before === undefined) delete process.env.KIT_KEYS;
    else process.env.KIT_KEYS = before;
    if (password !== undefined) process.env[passwordVariable] = password;
  });
  return folder;
}

/** Puts a key into a folder as `kit keys new` does, but cheaply. @returns the key, its id and its public line */
export async function putKey(folder: string, name: string, password?: string) {
  const key: SecretKey = generateSecretKey();
  const text = await secretKeyFile(key, password, { operations: 32_768, memoryBytes: 2 ** 20 });
  writeFileSync(join(folder, `${name}.pub`), publicKeyFile(key.publicKey));
  writeFileSync(join(folder, `${name}.key`), text);
  chmodSync(join(folder, `${name}.key`), 0o600);
  return { key, id: key.publicKey.id, line: publicKeyLine(key.publicKey) };
}

/** A copy of a policy that ships, unsigned. */
export function policyCopy(folder: string): string {
  const path = join(folder, 'policy');
  cpSync(join(shippedPolicies, 'so101-reach-50hz'), path, { recursive: true });
  return path;
}

/** A copy of its robot: a folder whose site.json may be changed. */
export function robotCopy(folder: string): string {
  const path = join(folder, 'arm');
  cpSync(loadRobot('so101').folder, path, { recursive: true });
  return path;
}
