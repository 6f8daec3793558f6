/** `npm run conformance`: builds, then lets the programs of others loose on the emulated servo buses (hil-tests/src/conformance). */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root, setup } from './setup.mjs';

setup();
const program = join(root, 'hil-tests/dist/src/conformance/conformance.js');
process.exit(spawnSync(process.execPath, [program], { stdio: 'inherit' }).status ?? 1);
