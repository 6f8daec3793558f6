/**
 * `runtime.json`: what a release of the runtime consists of, file by file. Its SHA-256 names the release; a minisign signature beside it
 * says who made it.
 */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { verifyMinisign } from '@sim2servo/models/bundle/minisign';
import { mustBeSigned } from '@sim2servo/models/bundle/signed-manifest';
import type { Trust } from '@sim2servo/models/bundle/trust';
import { sha256 } from '@sim2servo/models/digest';
import { KitError, messageOf } from '@sim2servo/models/error';
import { parseJson } from '@sim2servo/models/json-file';
import { z } from 'zod';

export const manifestName = 'runtime.json';
export const signatureName = 'runtime.json.minisig';

/** Relative, of plain segments: nothing leads out of the release, nothing is hidden. */
const filePath = z
  .string()
  .regex(/^[A-Za-z0-9_@][A-Za-z0-9._@+-]*(?:\/[A-Za-z0-9_@][A-Za-z0-9._@+-]*)*$/, 'a plain relative path');

export const runtimeManifestSchema = z.strictObject({
  format: z.literal('sim2servo/runtime@1'),
  version: z.string(),
  platform: z.string(),
  node: z.string().describe('what of Node is in it, or that the robot’s own is used'),
  inference: z.enum(['native', 'wasm']),
  files: z.record(
    filePath,
    z.strictObject({
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      bytes: z.int().min(0),
      executable: z.boolean(),
    }),
  ),
});
export type RuntimeManifest = z.infer<typeof runtimeManifestSchema>;

export interface VerifiedRuntime {
  readonly digest: string;
  readonly manifest: RuntimeManifest;
  readonly files: number;
  readonly bytes: number;
}

const again = 'provision the robot again from the training box';

function refuse(code: string, message: string): never {
  throw new KitError(code, message, again);
}

/**
 * Whether a manifest is what a trusted key has signed, on a robot that asks for it: by the rule that its policies follow.
 *
 * @param signature of `manifest`; undefined where there is none
 * @param unsigned  what to say where there should be one: message and hint
 * @throws KitError E_RUNTIME_UNSIGNED, E_SIGNATURE_*
 */
export function verifyRuntimeSignature(
  manifest: Uint8Array,
  signature: Uint8Array | undefined,
  trust: Trust,
  unsigned: readonly [message: string, hint: string],
): void {
  if (!mustBeSigned(trust)) return;
  if (signature === undefined) throw new KitError('E_RUNTIME_UNSIGNED', ...unsigned);
  verifyMinisign(manifest, Buffer.from(signature).toString('utf8'), trust.trustedKeys, trust.revokedKeys);
}

/**
 * Whether a release is exactly what its manifest says, and its manifest what a trusted key has signed.
 *
 * @throws KitError E_RUNTIME_MISSING, E_RUNTIME_UNSIGNED, E_RUNTIME_FILE, E_SIGNATURE_*
 */
export function verifyRuntime(folder: string, trust: Trust): VerifiedRuntime {
  const path = join(folder, manifestName);
  let text: Buffer;
  try {
    text = readFileSync(path);
  } catch (error) {
    return refuse('E_RUNTIME_MISSING', `${folder} is no release of the runtime: ${messageOf(error)}`);
  }
  const signature = join(folder, signatureName);
  verifyRuntimeSignature(text, existsSync(signature) ? readFileSync(signature) : undefined, trust, [
    `the runtime in ${folder} is not signed, and this robot takes signed ones only`,
    again,
  ]);
  const manifest = parseJson(text.toString('utf8'), runtimeManifestSchema, `manifest ${path}`);
  const found = filesIn(folder).filter(name => name !== manifestName && name !== signatureName);
  const foreign = found.find(name => !Object.hasOwn(manifest.files, name));
  if (foreign !== undefined) refuse('E_RUNTIME_FILE', `${join(folder, foreign)} does not belong to the runtime`);
  let bytes = text.length;
  for (const [name, wanted] of Object.entries(manifest.files)) {
    const file = join(folder, name);
    const stat = lstatSync(file, { throwIfNoEntry: false });
    if (stat?.isFile() !== true) refuse('E_RUNTIME_FILE', `${file} is missing, or no regular file`);
    if (stat.size !== wanted.bytes || digestOf(file) !== wanted.sha256)
      refuse('E_RUNTIME_FILE', `${file} is not what the runtime's manifest says`);
    bytes += stat.size;
  }
  return { digest: sha256(text), manifest, files: Object.keys(manifest.files).length, bytes };
}

/** All that is no folder, with `/` between the segments. */
function filesIn(folder: string, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap(entry => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    return entry.isDirectory() ? filesIn(folder, path) : [path];
  });
}

/** In pieces: Node alone has a hundred megabytes, and a small board not many more. */
function digestOf(path: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(2 ** 20);
  const handle = openSync(path, 'r');
  try {
    for (let got = readSync(handle, piece); got > 0; got = readSync(handle, piece)) hash.update(piece.subarray(0, got));
  } finally {
    closeSync(handle);
  }
  return hash.digest('hex');
}
