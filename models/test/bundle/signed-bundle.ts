/** Signed bundles for tests, and a look at what of them is read. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BundleParts, bundleFolder } from '../../src/bundle/bundle-folder.js';
import type { SecretKey } from '../../src/bundle/minisign-secret-key.js';
import { signMinisign } from '../../src/bundle/minisign-sign.js';
import { sequenceComment } from '../../src/bundle/sequence.js';
import type { BundleContent } from '../../src/bundle/write-bundle.js';
import { smallBundle } from './small-bundle.js';

/** Signs what stands there now. */
export function signFolder(folder: string, key: SecretKey, comment = sequenceComment(7)): string {
  const manifest = readFileSync(join(folder, 'policy.json'));
  writeFileSync(join(folder, 'policy.json.minisig'), signMinisign(manifest, key, comment));
  return folder;
}

export function signedBundle(folder: string, key: SecretKey, changes: Partial<BundleContent> = {}): string {
  return signFolder(smallBundle(folder, changes), key);
}

/** The parts of a folder, and the names of all that was opened, in order; `*` for a look at the folder. */
export function recorded(folder: string): BundleParts & { readonly opened: string[] } {
  const parts = bundleFolder(folder);
  const opened: string[] = [];
  return {
    opened,
    names() {
      opened.push('*');
      return parts.names();
    },
    read(name, maxBytes) {
      opened.push(name);
      return parts.read(name, maxBytes);
    },
    digest(name, maxBytes) {
      opened.push(name);
      return parts.digest(name, maxBytes);
    },
  };
}
