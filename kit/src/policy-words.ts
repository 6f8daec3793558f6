/** What `kit run` says of policies that take over, and of a trial: a line each. */
import { shortDigest } from '@sim2servo/models/digest';
import type { PolicyChange, TimedNews } from '@sim2servo/runtime/run-policy';
import { phaseShare } from '@sim2servo/runtime/trial/trial-phases';

const policyAt = (atS: number, digest: string) => `${atS.toFixed(1)} s: policy ${shortDigest(digest)}`;

export function changeWords({ digest, atS, refused }: PolicyChange): string {
  const policy = policyAt(atS, digest);
  return refused === undefined
    ? `${policy} took over`
    : `${policy} does not take over: ${refused.message} (${refused.hint}); the old one goes on`;
}

const phaseWords = {
  shadow: 'looked on (shadow)',
  limited: `drove at ${100 * phaseShare.limited} % of velocity and acceleration (limited)`,
  full: 'drove at full speed (full)',
} as const;

/** @param store its folder, for the command that says more */
export function trialWords({ atS, digest, event, words, seconds }: TimedNews, store: string): string {
  const policy = policyAt(atS, digest);
  switch (event) {
    case 'shadow':
    case 'limited':
    case 'full':
      return `${policy} ${phaseWords[event]} for ${seconds.toFixed(1)} s: ${words}`;
    case 'committed':
      return `${policy} has passed its trial: ${words}`;
    case 'rolled-back':
      return `${policy} is rolled back: ${words}; what happened: kit deploy history --to ${store}`;
    case 'waiting':
      return `${policy} waits, the old one goes on: ${words}`;
    case 'paused':
      return `${policy} is still on trial: ${words}`;
    case 'unsaved':
      return `${policy}: ${words}`;
  }
}
