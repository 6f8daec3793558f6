/**
 * `kill -9` at a random moment, and again, until the run comes to its end: then the last checkpoint (parameters, moments, replay, random
 * generators) is that of an unbroken run, byte for byte.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const program = fileURLToPath(new URL('./environments/killable-run.js', import.meta.url));

interface Ended {
  readonly killed: boolean;
  readonly said: string;
}

/** When to kill: `delayMs` after so many new checkpoints. */
interface Moment {
  readonly checkpoints: number;
  readonly delayMs: number;
}

function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}

async function run(folder: string, threads: number, moment?: Moment): Promise<Ended> {
  const checkpoint = join(folder, 'checkpoints', 'latest.ckpt');
  let last = inodeOf(checkpoint);
  let seen = 0;
  const child = spawn(process.execPath, [program, folder, String(threads)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  // A checkpoint replaces the one before by a rename, so each is another file.
  const watching = setInterval(() => {
    const now = inodeOf(checkpoint);
    if (now !== last) seen++;
    last = now;
    if (moment === undefined || seen < moment.checkpoints) return;
    clearInterval(watching);
    setTimeout(() => child.kill('SIGKILL'), moment.delayMs);
  }, 5);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearInterval(watching);
  if (signal === null && code !== 0) throw new Error(`the run failed with ${code}`);
  return { killed: signal === 'SIGKILL', said };
}

for (const threads of [1, 2]) {
  t.test(`killed at random moments, on ${threads} threads`, async t => {
    const folder = t.testdir();
    const { digest } = JSON.parse((await run(join(folder, 'whole'), threads)).said) as { digest: string };
    const broken = join(folder, 'broken');
    // Of fifteen checkpoints: early enough that the first kills hit, and one while the program starts.
    const moments: Moment[] = [
      { checkpoints: 1 + Math.floor(Math.random() * 4), delayMs: Math.random() * 100 },
      { checkpoints: 0, delayMs: Math.random() * 1000 },
      { checkpoints: 1 + Math.floor(Math.random() * 4), delayMs: Math.random() * 100 },
    ];
    let kills = 0;
    for (const moment of moments) {
      const attempt = await run(broken, threads, moment);
      t.comment(
        `${attempt.killed ? 'killed' : 'too late'} ${moment.delayMs.toFixed(0)} ms after ${moment.checkpoints}`,
      );
      if (attempt.killed) kills++;
    }
    t.ok(kills > 0, 'a kill hit');
    const end = JSON.parse((await run(broken, threads)).said) as { begun: boolean; digest: string };
    t.ok(end.begun, 'the run went on from a checkpoint');
    t.equal(end.digest, digest);
  });
}
