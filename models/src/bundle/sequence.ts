/** The number that says which of two signed policies is the newer one. It stands in the trusted comment, and so is signed. */
import { KitError } from '../error.js';

/**
 * `sequence:<n>` as ours say, else minisign's own `timestamp:<seconds>`, in milliseconds. Fields are separated by tabs, as minisign's are.
 *
 * @throws KitError E_SIGNATURE_SEQUENCE where it says neither, or one twice
 */
export function sequenceOf(trustedComment: string): number {
  const fields = trustedComment.split('\t');
  for (const [name, factor] of [
    ['sequence', 1],
    ['timestamp', 1000],
  ] as const) {
    const found = fields.filter(field => field.startsWith(`${name}:`));
    if (found.length === 0) continue;
    const digits = found.length === 1 && /^\d+$/.exec(found[0]!.slice(name.length + 1));
    const sequence = digits ? Number(digits[0]) * factor : Number.NaN;
    if (Number.isSafeInteger(sequence)) return sequence;
    break;
  }
  throw new KitError(
    'E_SIGNATURE_SEQUENCE',
    `the trusted comment '${trustedComment}' does not say how new the policy is: no 'sequence:NUMBER', no 'timestamp:SECONDS'`,
    "sign it with `kit keys sign`, or leave minisign's own trusted comment",
  );
}

/** Milliseconds since 1970, and more than the last one also where a clock was set back. */
export function sequenceAfter(last: number, nowMs: number): number {
  return Math.max(Math.floor(nowMs), last + 1);
}

/** The trusted comment of a bundle's signature. */
export function sequenceComment(sequence: number): string {
  return `sequence:${sequence}\tfile:policy.json`;
}
