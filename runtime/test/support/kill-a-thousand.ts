/** `npm run long`: a thousand killed deployments. Keeps what it counted in the file that it is given. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killDeployments } from './deployment-kills.js';

const [, , out, kills = '1000'] = process.argv;
const folder = mkdtempSync(join(tmpdir(), 'sim2servo-kills-'));
try {
  const counted = await killDeployments(folder, Number(kills));
  process.stdout.write(`${JSON.stringify(counted)}\n`);
  if (out !== undefined) writeFileSync(out, `${JSON.stringify({ kills: Number(kills), ...counted }, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
