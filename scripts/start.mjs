/** `npm start`: the whole thread on desk2, from training to fine-tuning. Sets everything up first. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root, setup } from './setup.mjs';

setup();
// Ctrl-C goes to the whole group: the kit ends in its own way, and this program waits for it.
process.on('SIGINT', () => {});
const { status, signal } = spawnSync(
  process.execPath,
  [join(root, 'kit', 'bin', 'kit.mjs'), 'tour', ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
process.exit(signal === 'SIGINT' ? 130 : (status ?? 1));
