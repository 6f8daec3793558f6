import { sha256 } from '@sim2servo/models/digest';
import type { RuntimeManifest } from '../../src/robot/runtime-manifest.js';

/** Of a release that holds these files; what lies in `bin` can be run. */
export function manifestOf(files: Readonly<Record<string, string>>): RuntimeManifest {
  return {
    format: 'sim2servo/runtime@1',
    version: '0.1.0',
    platform: 'linux-x64',
    node: '22',
    inference: 'native',
    files: Object.fromEntries(
      Object.entries(files).map(([path, text]) => [
        path,
        { sha256: sha256(text), bytes: text.length, executable: path.startsWith('bin/') },
      ]),
    ),
  };
}
