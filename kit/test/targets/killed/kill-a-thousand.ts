/**
 * `npm run long`: a thousand killed deployments. Keeps what it counted in the file that it is given; of as many as there were until Ctrl-C.
 *
 * usage: node kit/dist/test/targets/killed/kill-a-thousand.js [OUT.json [KILLS]]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeDurably } from '@sim2servo/models/durable-file';
import { killDeployments } from './deployment-kills.js';

const [, , out, wanted = '1000'] = process.argv;
const of = Number(wanted);
const sayEveryMs = 10_000;
const folder = mkdtempSync(join(tmpdir(), 'sim2servo-kills-'));
const interrupt = new AbortController();
process.on('SIGINT', () => interrupt.abort());
const since = performance.now();
let saidMs = Number.NEGATIVE_INFINITY;

function say(kills: number): void {
  const now = performance.now();
  if (now - saidMs < sayEveryMs && kills < of) return;
  saidMs = now;
  const aSecond = (1000 * kills) / (now - since);
  const minutesLeft = Math.ceil((of - kills) / aSecond / 60);
  process.stderr.write(`${kills} of ${of} killed, ${aSecond.toFixed(1)} a second, ${minutesLeft} min left\n`);
}

try {
  const counted = await killDeployments(folder, of, { signal: interrupt.signal, onKill: ({ kills }) => say(kills) });
  const seconds = Math.round((performance.now() - since) / 1000);
  const made = { date: new Date().toISOString(), node: process.version, cpu: cpus()[0]?.model };
  const result = { ...made, of, ...counted, seconds };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (out !== undefined) writeDurably(out, `${JSON.stringify(result, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(interrupt.signal.aborted ? 130 : 0);
