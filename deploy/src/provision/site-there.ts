/**
 * The `site.json` that lies on the robot. What is calibrated in it stays; the keys that are trusted and revoked here are added to its own.
 */
import { parsePublicKey } from '@sim2servo/models/bundle/minisign-public-key';
import { joinedTrust, type Trust } from '@sim2servo/models/bundle/trust';
import { canonicalJson, sha256 } from '@sim2servo/models/digest';
import { parseJson } from '@sim2servo/models/json-file';
import { siteSchema } from '@sim2servo/models/site';
import { z } from 'zod';
import { systemUser } from './service-files.js';
import { putFile, type Step } from './steps.js';

export const sitePath = '/etc/sim2servo/robot/site.json';

/** Only what is wanted of it: a site by an older or a newer schema has keys, too. */
const trustSchema = z.looseObject({
  trustedKeys: siteSchema.shape.trustedKeys,
  revokedKeys: siteSchema.shape.revokedKeys,
});

export interface SiteThere {
  /** As it lies there; as it will lie there once its keys are added. */
  readonly text: string;
  readonly trust: Trust;
}

/** @throws KitError E_FILE_JSON, E_FILE_SCHEMA */
export function readSiteThere(text: string, where: string): SiteThere {
  const { trustedKeys, revokedKeys } = parseJson(text, trustSchema, `${sitePath} of ${where}`);
  return { text, trust: { trustedKeys, revokedKeys } };
}

export const siteText = (site: object): string => `${JSON.stringify(site, null, 2)}\n`;

/** With the keys of both. */
export function withTrust({ text, trust }: SiteThere, here: Trust): SiteThere {
  const joined = joinedTrust(trust, here);
  if (canonicalJson(joined) === canonicalJson(trust)) return { text, trust };
  return { text: siteText({ ...(JSON.parse(text) as object), ...joined }), trust: joined };
}

/** The rest of it, however it is written. */
export const withoutKeys = ({ text }: SiteThere): string =>
  canonicalJson({ ...(JSON.parse(text) as object), $schema: '', trustedKeys: [], revokedKeys: [] });

/** Before the runtime's step: the runtime that is there asks the keys about the one that comes. Absent where it knows them all. */
export function keysStep(there: SiteThere, here: Trust): Step | undefined {
  const after = withTrust(there, here);
  if (after.text === there.text) return undefined;
  const ids = ({ trustedKeys }: Trust) => [...new Set(trustedKeys.map(line => parsePublicKey(line).id))];
  const trusted = ids(after.trust).filter(id => !ids(there.trust).includes(id));
  const revoked = after.trust.revokedKeys.filter(id => !there.trust.revokedKeys.includes(id));
  const news = [
    ...(trusted.length === 0 ? [] : [`it trusts ${trusted.join(', ')}`]),
    ...(revoked.length === 0 ? [] : [`${revoked.join(', ')} ${revoked.length === 1 ? 'is' : 'are'} revoked`]),
  ];
  return {
    name: 'keys',
    words: `the robot’s keys: ${news.length === 0 ? 'none is both trusted and revoked' : news.join('; ')}; the rest of its site.json stays`,
    script: `printf '%s  %s\\n' ${sha256(there.text)} "$ROOT${sitePath}" | sha256sum -c - >/dev/null 2>&1 ||
  refuse E_TARGET_CHANGED "somebody has changed ${sitePath} since it was looked at" "run it again"
${putFile(sitePath, after.text, { mode: '640', group: systemUser })}`,
  };
}
