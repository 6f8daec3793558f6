/** Which keys a robot trusts, and which it has revoked: how `trustedKeys` and `revokedKeys` of its site.json change. */
import { KitError } from '../error.js';
import type { Site } from '../site.js';
import { type PublicKey, parsePublicKey, publicKeyLine } from './minisign-public-key.js';

export type Trust = Pick<Site, 'trustedKeys' | 'revokedKeys'>;

/** @throws KitError E_KEY_REVOKED */
export function trusting({ trustedKeys, revokedKeys }: Trust, key: PublicKey): Trust {
  if (revokedKeys.includes(key.id))
    throw new KitError(
      'E_KEY_REVOKED',
      `key ${key.id} was revoked on this robot`,
      'make a new one: kit keys new NAME; or take its id out of revokedKeys in site.json if it was a mistake',
      'usage',
    );
  const line = publicKeyLine(key);
  return { trustedKeys: trustedKeys.includes(line) ? trustedKeys : [...trustedKeys, line], revokedKeys };
}

/** The key goes from the trusted ones to the revoked ones. It may have been neither: then it is known beforehand. */
export function revoking({ trustedKeys, revokedKeys }: Trust, id: string): Trust {
  return {
    trustedKeys: trustedKeys.filter(line => parsePublicKey(line).id !== id),
    revokedKeys: revokedKeys.includes(id) ? revokedKeys : [...revokedKeys, id],
  };
}

/** What two say of one robot: whom one of them has revoked, neither trusts. */
export function joinedTrust(one: Trust, other: Trust): Trust {
  const revokedKeys = [...new Set([...one.revokedKeys, ...other.revokedKeys])];
  const lines = new Set([...one.trustedKeys, ...other.trustedKeys]);
  return { trustedKeys: [...lines].filter(line => !revokedKeys.includes(parsePublicKey(line).id)), revokedKeys };
}
