/** Which keys a robot trusts, and which it has revoked: `trustedKeys` and `revokedKeys` of its site.json. */
import { existsSync } from 'node:fs';
import { type PublicKey, parsePublicKey, publicKeyPattern } from '@sim2servo/models/bundle/minisign-public-key';
import type { Trust } from '@sim2servo/models/bundle/trust';
import { KitError } from '@sim2servo/models/error';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { folderToWrite, rewriteSite } from '../robot-writing.js';
import { keyNames, keysFolder, readKeyFile, readPublicKey } from './key-ring.js';

/**
 * The public key that somebody means: a name of one's own, a `.pub` file, or the key itself.
 *
 * @throws KitError E_KEY_UNKNOWN, E_KEY_READ, E_KEY_FORMAT
 */
export function publicKeyMeant(text: string): PublicKey {
  if (keyNames().includes(text)) return readPublicKey(text);
  if (publicKeyPattern.test(text)) return parsePublicKey(text);
  if (existsSync(text)) return parsePublicKey(readKeyFile(text));
  throw new KitError(
    'E_KEY_UNKNOWN',
    `'${text}' is neither a key in ${keysFolder()}, nor a file, nor a minisign public key`,
    'name a key (`kit keys list`), give a .pub file, or the second line of one',
    'usage',
  );
}

/** The id that somebody means: minisign prints it without the zeros at its front. */
export function keyIdMeant(text: string): string {
  if (!keyNames().includes(text) && /^[0-9A-Fa-f]{12,16}$/.test(text)) return text.toUpperCase().padStart(16, '0');
  return publicKeyMeant(text).id;
}

export interface WrittenTrust extends Trust {
  readonly robot: string;
  readonly folder: string;
  /** False where it was so already, and nothing was written. */
  readonly changed: boolean;
  /** Where the old site.json is kept. */
  readonly backup?: string;
}

/** @param out a new folder that becomes a copy of the robot */
export function writeTrust(name: string, out: string | undefined, change: (before: Trust) => Trust): WrittenTrust {
  const robot = loadRobot(name);
  const folder = folderToWrite(robot, out, 'whom it trusts is for the owner of one arm to say');
  const { trustedKeys, revokedKeys } = robot.site;
  const before: Trust = { trustedKeys, revokedKeys };
  const after = change(before);
  const changed = JSON.stringify(after) !== JSON.stringify(before);
  const backup =
    changed || out !== undefined ? rewriteSite(robot, folder, site => Object.assign(site, after)) : undefined;
  return { robot: robot.spec.name, folder, ...after, changed, ...(backup !== undefined && { backup }) };
}
