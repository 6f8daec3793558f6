/**
 * `kill -9` at a random moment, and again, until the run comes to its end: then the last checkpoint (parameters, moments, replay, random
 * generators) is that of an unbroken run, byte for byte.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const program = fileURLToPath(new URL('./environments/killable-run.js', import.meta.url));

interface Ended {
  readonly killed: boolean;
  readonly said: string;
  readonly ms: number;
}

async function run(folder: string, threads: number, killAfterMs?: number): Promise<Ended> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [program, folder, String(threads)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  if (signal === null && code !== 0) throw new Error(`the run failed with ${code}`);
  return { killed: signal === 'SIGKILL', said, ms: performance.now() - startMs };
}

for (const threads of [1, 2]) {
  t.test(`killed at random moments, on ${threads} threads`, async t => {
    const folder = t.testdir();
    const whole = await run(join(folder, 'whole'), threads);
    const { digest } = JSON.parse(whole.said) as { digest: string };
    const broken = join(folder, 'broken');
    let kills = 0;
    let begun = false;
    // A kill falls anywhere in a run, start-up included; each attempt gets further, since a checkpoint is saved every few blocks.
    for (;;) {
      const killAfterMs = kills < 4 ? whole.ms * (0.3 + 0.6 * Math.random()) : undefined;
      const attempt = await run(broken, threads, killAfterMs);
      if (attempt.killed) {
        kills++;
        continue;
      }
      const end = JSON.parse(attempt.said) as { begun: boolean; digest: string };
      begun = end.begun;
      t.equal(end.digest, digest);
      break;
    }
    t.comment(`${kills} kills`);
    t.ok(kills > 0 && begun, 'at least one kill hit, and the run went on from a checkpoint');
  });
}
