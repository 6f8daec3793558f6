/** SHA-256 in hex, and the canonical JSON that digests of records are taken of. */
import { createHash } from 'node:crypto';

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A digest for people: as much of it as tells two apart. */
export function shortDigest(digest: string): string {
  return `${digest.slice(0, 12)}…`;
}

/** JSON with sorted keys, so that the same content has the same digest however a file was formatted. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
